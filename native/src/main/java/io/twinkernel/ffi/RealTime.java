package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.sched_param;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Whether a thread runs before all that are not as urgent: {@code sched_setscheduler(2)}. What it
 * starts is not urgent.
 */
public final class RealTime {
  private static final int CALLER = 0;

  private RealTime() {}

  /**
   * From now on the calling thread runs whenever it can, on a CPU that is taken from another thread
   * if need be.
   *
   * @param priority 1 to 99, the most urgent
   * @throws SyscallException EPERM without CAP_SYS_NICE; EINVAL if there is no such priority
   */
  public static void begin(int priority) throws SyscallException {
    begin(CALLER, priority);
  }

  /**
   * As {@link #begin(int)}, of another thread.
   *
   * @param thread its number; ESRCH is thrown if it has ended
   */
  public static void begin(int thread, int priority) throws SyscallException {
    schedule(thread, Linux.SCHED_FIFO() | Linux.SCHED_RESET_ON_FORK(), priority);
  }

  /** From now on the calling thread takes its turn. */
  public static void end() throws SyscallException {
    end(CALLER);
  }

  /** As {@link #end()}, of another thread. */
  public static void end(int thread) throws SyscallException {
    schedule(thread, Linux.SCHED_OTHER(), 0);
  }

  /**
   * Has the kernel schedule a thread as sched(7) says.
   *
   * @param thread its number; ESRCH is thrown if it has ended
   * @param policy SCHED_*
   * @param priority of a real-time policy; 0 in others
   */
  public static void schedule(int thread, int policy, int priority) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment param = sched_param.allocate(arena);
      sched_param.sched_priority(param, priority);
      long result =
          NativeCall.system(
              Linux.__NR_sched_setscheduler(), thread, policy, param.address(), 0, 0, 0, param);
      if (result < 0) {
        throw SyscallException.of(
            "sched_setscheduler", "policy " + policy + ", priority " + priority, result);
      }
    }
  }
}
