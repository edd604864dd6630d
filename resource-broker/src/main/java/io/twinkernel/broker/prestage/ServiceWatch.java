package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** Whether a process that runs has done what there was to do for it. */
final class ServiceWatch {
  /**
   * There is no event: neither a socket nor a thread of another process tells. To look more often
   * would take from it what it needs.
   */
  private static final long LOOK_EVERY_NANOS = 4_000_000;

  private ServiceWatch() {}

  /**
   * Waits until a process has read all that had arrived on each of its connections, and has gone to
   * sleep after that: then it has answered.
   *
   * @param connections established ones
   * @param deadline {@link System#nanoTime} at which the wait ends all the same
   */
  static void awaitServed(
      int pid, Collection<Integer> threads, Collection<Fd> connections, long deadline)
      throws IOException {
    LockSupport.parkNanos(LOOK_EVERY_NANOS);
    for (Fd connection : connections) {
      while (TcpRepair.received(connection) > 0 && System.nanoTime() - deadline < 0) {
        LockSupport.parkNanos(LOOK_EVERY_NANOS);
      }
    }
    for (int thread : threads) {
      Path stat = Path.of("/proc/" + pid + "/task/" + thread + "/stat");
      while (Files.exists(stat) && !sleeps(stat) && System.nanoTime() - deadline < 0) {
        LockSupport.parkNanos(LOOK_EVERY_NANOS);
      }
    }
  }

  /** The state follows the name, which may have any characters in it (proc(5)). */
  private static boolean sleeps(Path stat) throws IOException {
    Optional<String> text = SysFiles.readIfThere(stat.toString());
    return text.isEmpty() || text.get().startsWith(") S", text.get().lastIndexOf(')'));
  }
}
