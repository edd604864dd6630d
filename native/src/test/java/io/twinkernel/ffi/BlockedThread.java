package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A thread that is known to wait inside the kernel. */
final class BlockedThread {
  private BlockedThread() {}

  interface Body {
    void run() throws Exception;
  }

  /** Starts {@code body} and returns once it sleeps in a system call. */
  static Thread start(Body body, String name) throws Exception {
    return startWithId(body, name).thread();
  }

  record Started(Thread thread, int id) {}

  /** As {@link #start}, with the kernel's number of the thread. */
  static Started startWithId(Body body, String name) throws Exception {
    CompletableFuture<Integer> id = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                Path self = Files.readSymbolicLink(Path.of("/proc/thread-self"));
                id.complete(Integer.valueOf(self.getFileName().toString()));
                body.run();
              } catch (Exception failure) {
                id.completeExceptionally(failure);
              }
            },
            name);
    thread.start();
    int number = id.get(10, TimeUnit.SECONDS);
    awaitBlocked(number);
    return new Started(thread, number);
  }

  private static void awaitBlocked(int id) throws Exception {
    Path call = Path.of("/proc/self/task/" + id + "/syscall");
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    // read = 0, ppoll = 271 (asm/unistd_64.h); a futex, for one, is the JVM's own waiting.
    while (true) {
      String text = Files.readString(call);
      if (text.startsWith("0 ") || text.startsWith("271 ")) {
        return;
      }
      assertThat(System.nanoTime()).as("never blocked: " + text).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }
}
