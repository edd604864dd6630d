package io.twinkernel.broker.agent;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A step that runs beside the caller; joining it gives its failure to the caller. */
final class Background {
  /**
   * As many steps as the gap has side by side; to start a thread in it would cost more than most.
   */
  private static final int READY = 4;

  private static final ThreadPoolExecutor THREADS =
      new ThreadPoolExecutor(
          READY,
          Integer.MAX_VALUE,
          1,
          TimeUnit.MINUTES,
          new SynchronousQueue<>(),
          Thread.ofPlatform().name("background-", 0).daemon().factory());

  /** What runs. */
  @FunctionalInterface
  interface Task {
    void run() throws IOException;
  }

  private final String name;
  private final Future<?> result;

  Background(String name, Task task) {
    this.name = name;
    this.result =
        THREADS.submit(
            () -> {
              task.run();
              return name;
            });
  }

  /** Starts the threads that wait for steps. */
  static void prepare() {
    THREADS.prestartAllCoreThreads();
  }

  /** Waits until it has ended, however. */
  void settle() {
    boolean interrupted = false;
    while (!result.isDone()) {
      try {
        result.get();
      } catch (ExecutionException e) {
        // Whoever needs to know joins.
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  void join() throws IOException, InterruptedException {
    try {
      result.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException cause
          ? cause
          : new IOException(name + " failed", e.getCause());
    }
  }
}
