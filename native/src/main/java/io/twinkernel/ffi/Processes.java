package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.MemorySegment;

/** Signals to processes. */
public final class Processes {
  private Processes() {}

  /**
   * {@code kill(2)}.
   *
   * @param signal SIG*; 0 only asks whether the process is there
   */
  public static void kill(int pid, int signal) throws SyscallException {
    long result = NativeCall.system(Linux.__NR_kill(), pid, signal, 0, 0);
    if (result < 0) {
      throw SyscallException.of("kill", pid + ", " + signal, result);
    }
  }

  /**
   * {@code pidfd_open(2)}: names the process for good, even when its pid is given away again.
   *
   * @return polls readable once the process is gone
   */
  public static Fd open(int pid) throws SyscallException {
    long result = NativeCall.system(Linux.__NR_pidfd_open(), pid, 0, 0, 0);
    if (result < 0) {
      throw SyscallException.of("pidfd_open", Integer.toString(pid), result);
    }
    return new Fd(result, "process " + pid);
  }

  /** {@code pidfd_send_signal(2)} to a process from {@link #open}. */
  public static void signal(Fd process, int signal) throws SyscallException {
    long result =
        NativeCall.system(
            Linux.__NR_pidfd_send_signal(),
            process.number(),
            signal,
            MemorySegment.NULL.address(),
            0);
    if (result < 0) {
      throw SyscallException.of("pidfd_send_signal", process.label() + ", " + signal, result);
    }
  }
}
