package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
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
   * @param connections descriptors of established ones; it may have closed some
   * @param deadline {@link System#nanoTime} at which the wait ends all the same
   */
  static void awaitServed(
      int pid, Collection<Integer> threads, Collection<Integer> connections, long deadline)
      throws IOException {
    LockSupport.parkNanos(LOOK_EVERY_NANOS);
    try (Fd process = Processes.open(pid)) {
      for (int connection : connections) {
        while (isToRead(process, connection) && System.nanoTime() - deadline < 0) {
          LockSupport.parkNanos(LOOK_EVERY_NANOS);
        }
      }
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.ESRCH)) {
        throw e;
      }
    }
    for (int thread : threads) {
      Path stat = Path.of("/proc/" + pid + "/task/" + thread + "/stat");
      while (Files.exists(stat) && !sleeps(stat) && System.nanoTime() - deadline < 0) {
        LockSupport.parkNanos(LOOK_EVERY_NANOS);
      }
    }
  }

  /** Held for no longer than the look: what the process closes is to be closed. */
  private static boolean isToRead(Fd process, int connection) throws SyscallException {
    try (Fd socket = Processes.descriptor(process, connection)) {
      return Descriptors.isTcp(socket)
          && TcpRepair.state(socket) == TcpRepair.ESTABLISHED
          && TcpRepair.received(socket) > 0;
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EBADF) || e.errno().equals(Errno.ENOTSOCK)) {
        return false;
      }
      throw e;
    }
  }

  /** The state follows the name, which may have any characters in it (proc(5)). */
  private static boolean sleeps(Path stat) throws IOException {
    Optional<String> text = SysFiles.readIfThere(stat.toString());
    return text.isEmpty() || text.get().startsWith(") S", text.get().lastIndexOf(')'));
  }
}
