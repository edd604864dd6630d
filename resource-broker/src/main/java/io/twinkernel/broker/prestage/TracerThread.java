package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The one thread that traces: the kernel takes orders for a tracee from no other. */
final class TracerThread implements AutoCloseable {
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("tracer").daemon().factory());

  /** A step that may fail. */
  @FunctionalInterface
  interface Task<T> {
    T run() throws IOException;
  }

  /** Runs it there and waits for it. */
  <T> T call(Task<T> task) throws IOException {
    try {
      return thread.submit(task::run).get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IllegalStateException("the tracer failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Its tracees are detached when it ends. */
  @Override
  public void close() {
    thread.shutdownNow();
  }
}
