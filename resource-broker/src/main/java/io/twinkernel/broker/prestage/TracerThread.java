package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The one thread that traces: the kernel takes orders for a tracee from no other. */
final class TracerThread implements AutoCloseable {
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(GapThreads.named("tracer"));

  /** Runs it there and waits for it. */
  <T> T call(Callable<T> task) throws IOException {
    return start(task).join();
  }

  /** Has it run there while the caller goes on. */
  <T> Running<T> start(Callable<T> task) {
    return Running.on(thread, task);
  }

  /** Its tracees are detached when it ends. */
  @Override
  public void close() {
    thread.shutdownNow();
    // Whom it traces nobody else can.
    thread.close();
  }
}
