package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.GapThreads;
import io.twinkernel.broker.prestage.Running;
import java.io.IOException;
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
          GapThreads.named("background"));

  /** What runs. */
  @FunctionalInterface
  interface Task {
    void run() throws IOException;
  }

  private final Running<Boolean> running;

  Background(Task task) {
    this.running =
        Running.on(
            THREADS,
            () -> {
              task.run();
              return true;
            });
  }

  /** Starts the threads that wait for steps. */
  static void prepare() {
    THREADS.prestartAllCoreThreads();
  }

  /** Waits until it has ended, however. */
  void settle() {
    running.settle();
  }

  void join() throws IOException, InterruptedException {
    running.await();
  }
}
