package io.twinkernel.broker.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** The end of a process whose parent is init. */
public final class Reaping {
  private static final long LOOK_EVERY_NANOS = 100_000;

  /** Longer than init ever takes to reap. */
  private static final Duration REAPED = Duration.ofSeconds(30);

  private Reaping() {}

  /** Waits until the number of a process that was killed is free. */
  public static void await(int pid) throws IOException {
    long deadline = System.nanoTime() + REAPED.toNanos();
    Path directory = Path.of("/proc/" + pid);
    // Only its parent, init, is told.
    while (Files.exists(directory)) {
      if (System.nanoTime() - deadline > 0) {
        throw new IOException("process " + pid + " was killed, but is not gone");
      }
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }
}
