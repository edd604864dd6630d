package io.twinkernel.control.engine;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** One thread on which tasks run one after the other. Their trouble does not end it. */
final class Loop {
  private static final System.Logger LOG = System.getLogger("twinkernel.conductor");
  private static final int LONGEST_FLUSH_SECONDS = 30;

  private final ScheduledThreadPoolExecutor thread;

  Loop(String name) {
    thread = new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().name(name).factory());
    // Closing is like a crash that harms nothing: what has not begun is not begun.
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    thread.setRemoveOnCancelPolicy(true);
  }

  void enqueue(Runnable task) {
    try {
      thread.execute(guarded(task));
    } catch (RejectedExecutionException e) {
      LOG.log(System.Logger.Level.DEBUG, "closed; what came in is dropped", e);
    }
  }

  <T> CompletableFuture<T> ask(Callable<T> task) {
    var answer = new CompletableFuture<T>();
    try {
      thread.execute(
          () -> {
            try {
              answer.complete(task.call());
            } catch (Exception e) {
              answer.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      answer.completeExceptionally(Refusals.stopping());
    }
    return answer;
  }

  ScheduledFuture<?> after(Duration delay, Runnable task) {
    return thread.schedule(guarded(task), delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.ERROR, "an input could not be handled", e);
      }
    };
  }

  /** Returns when the task that runs has ended; those that wait are dropped. */
  void close() {
    thread.shutdown();
    try {
      if (!thread.awaitTermination(LONGEST_FLUSH_SECONDS, TimeUnit.SECONDS)) {
        LOG.log(System.Logger.Level.ERROR, "the disk still keeps a journal waiting");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
