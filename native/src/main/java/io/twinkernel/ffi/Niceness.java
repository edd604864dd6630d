package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;

/**
 * How much of the CPU a thread leaves to others that want it, too: {@code setpriority(2)}, which in
 * Linux is about a thread. What a thread starts is as nice as it is.
 */
public final class Niceness {
  /** What getpriority(2) itself returns is this much more, negative to negative. */
  private static final int RETURNED_FROM = 20;

  private Niceness() {}

  /**
   * A thread's.
   *
   * @param thread its number; 0 for the calling one
   * @return -20, the least nice, to 19
   * @throws SyscallException ESRCH if it has ended
   */
  public static int of(int thread) throws SyscallException {
    long result = NativeCall.system(Linux.__NR_getpriority(), Linux.PRIO_PROCESS(), thread, 0, 0);
    if (result < 0) {
      throw SyscallException.of("getpriority", Integer.toString(thread), result);
    }
    return RETURNED_FROM - (int) result;
  }

  /**
   * Sets it.
   *
   * @param thread its number; 0 for the calling one
   * @param nice -20 to 19
   * @throws SyscallException ESRCH if it has ended; EACCES if it is to be less nice, without
   *     CAP_SYS_NICE
   */
  public static void set(int thread, int nice) throws SyscallException {
    long result =
        NativeCall.system(Linux.__NR_setpriority(), Linux.PRIO_PROCESS(), thread, nice, 0);
    if (result < 0) {
      throw SyscallException.of("setpriority", thread + ", " + nice, result);
    }
  }
}
