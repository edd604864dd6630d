package io.twinkernel.broker.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** The end of a process whose parent is init. */
public final class Reaping {
  private static final long LOOK_EVERY_NANOS = 100_000;

  /** Longer than init ever takes to reap. */
  private static final Duration REAPED = Duration.ofSeconds(30);

  private Reaping() {}

  /** Waits until the number of a process that was killed is free: an init may take a second. */
  public static void await(int pid) throws IOException {
    await(pid, "is not gone", () -> Files.exists(Path.of("/proc/" + pid)));
  }

  /** Waits until all that is left of a process that was killed is its number. */
  public static void awaitDead(int pid) throws IOException {
    await(pid, "has not ended", () -> lives(pid));
  }

  private static boolean lives(int pid) throws IOException {
    Optional<ServiceProcess> now = ProcessTree.readIfThere("/proc/" + pid + "/stat");
    if (now.isEmpty()) {
      return false;
    }
    return switch (now.get().state()) {
      case 'Z', 'X' -> false;
      default -> true;
    };
  }

  @FunctionalInterface
  private interface Look {
    boolean finds() throws IOException;
  }

  /** Only its parent, init, is told. */
  private static void await(int pid, String failure, Look look) throws IOException {
    long deadline = System.nanoTime() + REAPED.toNanos();
    while (look.finds()) {
      if (System.nanoTime() - deadline > 0) {
        throw new IOException("process " + pid + " was killed, but " + failure);
      }
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }
}
