package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.bindings.Linux;
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

  /** The call of a thread that waits in ppoll, as /proc shows it (asm/unistd_64.h). */
  static final String PPOLL = Linux.__NR_ppoll() + " ";

  /** The call of a thread that reads from {@code file}. */
  static String reading(Fd file) {
    return Linux.__NR_read() + " 0x" + Integer.toHexString(file.number()) + " ";
  }

  /**
   * A thread.
   *
   * @param id the kernel's number of it
   */
  record Started(Thread thread, int id) {}

  /** Starts {@code body} and returns once it sleeps in {@code call}. */
  static Started start(String call, Body body) throws Exception {
    CompletableFuture<Integer> id = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                Path self = Files.readSymbolicLink(Path.of("/proc/thread-self"));
                id.complete(Integer.valueOf(self.getFileName().toString()));
                body.run();
              } catch (Exception failure) {
                throw new AssertionError(failure);
              }
            },
            "blocked in " + call);
    thread.start();
    int number = id.get(10, TimeUnit.SECONDS);
    awaitBlocked(number, call);
    return new Started(thread, number);
  }

  private static void awaitBlocked(int id, String call) throws Exception {
    Path current = Path.of("/proc/self/task/" + id + "/syscall");
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (true) {
      String text = Files.readString(current);
      if (text.startsWith(call)) {
        return;
      }
      assertThat(System.nanoTime()).as("never blocked: " + text).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }
}
