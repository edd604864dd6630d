package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/** A step that goes on beside the caller. */
public final class Running<T> {
  private final Future<T> result;

  private Running(Future<T> result) {
    this.result = result;
  }

  /** Has a thread of {@code threads} begin it. */
  public static <T> Running<T> on(ExecutorService threads, Callable<T> step) {
    return new Running<>(threads.submit(step));
  }

  /** Waits until it has ended, however. */
  public void settle() {
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

  /**
   * Waits for it.
   *
   * @throws IOException what it failed with
   * @throws InterruptedException if the caller is to stop; the step goes on
   */
  public T await() throws IOException, InterruptedException {
    try {
      return result.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException cause
          ? cause
          : new IOException("a step beside failed: " + e.getCause(), e.getCause());
    }
  }

  /** As {@link #await}; an interrupt is a failure. */
  public T join() throws IOException {
    try {
      return await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
