package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Errnos;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.user_regs_struct;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * System calls that a stopped tracee is made to carry out, as if it had called them itself. All of
 * its registers are afterwards what they were. Made on the thread that traces it.
 *
 * @param thread the tracee
 * @param instruction address of a SYSCALL instruction in its memory
 */
public record RemoteCall(int thread, long instruction) {
  /** MAX_ERRNO of include/linux/err.h: no result that is one is below. */
  private static final int MOST_ERRNO = 4095;

  /**
   * Carries one out.
   *
   * @param name for the error message
   * @param subject likewise: what it is about
   * @param number __NR_*
   * @param arguments up to six; addresses are the tracee's
   * @return its result
   * @throws SyscallException its error, or that of the tracing
   */
  public long call(String name, String subject, int number, long... arguments)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment own = arena.allocate(user_regs_struct.layout());
      Ptrace.registers(thread, Linux.NT_PRSTATUS(), own);
      MemorySegment asked = arena.allocate(user_regs_struct.layout()).copyFrom(own);
      user_regs_struct.rip(asked, instruction);
      user_regs_struct.rax(asked, number);
      // No call is under way that the kernel might make again.
      user_regs_struct.orig_rax(asked, -1);
      user_regs_struct.rdi(asked, argument(arguments, 0));
      user_regs_struct.rsi(asked, argument(arguments, 1));
      user_regs_struct.rdx(asked, argument(arguments, 2));
      user_regs_struct.r10(asked, argument(arguments, 3));
      user_regs_struct.r8(asked, argument(arguments, 4));
      user_regs_struct.r9(asked, argument(arguments, 5));
      Ptrace.setRegisters(thread, Linux.NT_PRSTATUS(), asked);
      try {
        run(name, subject);
        run(name, subject);
        Ptrace.registers(thread, Linux.NT_PRSTATUS(), asked);
      } finally {
        Ptrace.setRegisters(thread, Linux.NT_PRSTATUS(), own);
      }
      long result = user_regs_struct.rax(asked);
      if (result < 0 && result >= -MOST_ERRNO) {
        throw SyscallException.of(name, subject, result);
      }
      return result;
    }
  }

  /** Has the thread end, as by {@code exit(2)}; the others of its process go on. */
  public void exit() throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment asked = arena.allocate(user_regs_struct.layout());
      Ptrace.registers(thread, Linux.NT_PRSTATUS(), asked);
      user_regs_struct.rip(asked, instruction);
      user_regs_struct.rax(asked, Linux.__NR_exit());
      user_regs_struct.orig_rax(asked, -1);
      user_regs_struct.rdi(asked, 0);
      Ptrace.setRegisters(thread, Linux.NT_PRSTATUS(), asked);
    }
    Ptrace.Status status;
    do {
      Ptrace.runToSystemCall(thread);
      status = Ptrace.await(thread);
    } while (status.stopped());
  }

  private static long argument(long[] arguments, int index) {
    return index < arguments.length ? arguments[index] : 0;
  }

  /** To the call's entry, or from there to its exit. */
  private void run(String name, String subject) throws SyscallException {
    boolean arrived = false;
    int signal = 0;
    while (!arrived) {
      Ptrace.runToSystemCall(thread, signal);
      Ptrace.Status status = Ptrace.await(thread);
      if (!status.stopped()) {
        throw SyscallException.of(name + " in thread " + thread, subject, -Errnos.ESRCH());
      }
      // One that a SIGSTOP holds says so before it does what it is told; and one may come now, for
      // it cannot be blocked.
      boolean held = status.event() == Linux.PTRACE_EVENT_STOP();
      arrived = !held && status.signal() == Linux.SIGTRAP();
      signal = held || arrived ? 0 : status.signal();
    }
  }
}
