package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.user_regs_struct;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * What a thread has in its registers.
 *
 * @param thread its number
 * @param registers a {@code user_regs_struct}; no system call is pending in it
 * @param extended what XSAVE stores, in its standard format (Intel SDM volume 1, 13.4)
 * @param signalMask the signals that it blocks; bit n-1 is signal n
 */
record ThreadState(int thread, byte[] registers, byte[] extended, long signalMask) {
  /** Larger than any XSAVE area: with AMX's tiles it takes 11 KiB. */
  private static final int MOST_EXTENDED = 1 << 15;

  /** Where the kernel says which features the area has room for (struct xregs_state, i387). */
  private static final int FEATURES_KNOWN = 464;

  /** XSTATE_BV: the features that are not in their initial state. */
  private static final int FEATURES_USED = 512;

  private static final int SYSCALL_INSTRUCTION = 2;
  private static final int EINTR = 4;
  // include/linux/errno.h, known to the kernel alone.
  private static final int ERESTARTSYS = 512;
  private static final int ERESTARTNOINTR = 513;
  private static final int ERESTARTNOHAND = 514;
  private static final int ERESTART_RESTARTBLOCK = 516;

  /** Reads the registers of a tracee that is stopped. */
  static ThreadState capture(int thread) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment general = arena.allocate(user_regs_struct.layout());
      Ptrace.registers(thread, Linux.NT_PRSTATUS(), general);
      leaveSystemCall(general);
      MemorySegment extended = arena.allocate(MOST_EXTENDED, 64);
      int size = Ptrace.registers(thread, Linux.NT_X86_XSTATE(), extended);
      return new ThreadState(
          thread,
          general.toArray(ValueLayout.JAVA_BYTE),
          extended.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE),
          Ptrace.signalMask(thread));
    }
  }

  /** Whether a thread in that state need not be given this one. */
  boolean sameAs(ThreadState other) {
    return thread == other.thread
        && signalMask == other.signalMask
        && Arrays.equals(registers, other.registers)
        && Arrays.equals(extended, other.extended);
  }

  /**
   * A system call that the stop has interrupted is made again, as the kernel itself would do on the
   * way back (handle_signal() in arch/x86/kernel/signal.c); one that only the kernel could go on
   * with, such as a sleep, returns EINTR.
   */
  static void leaveSystemCall(MemorySegment general) {
    long call = user_regs_struct.orig_rax(general);
    if ((int) call >= 0) {
      switch ((int) -user_regs_struct.rax(general)) {
        case ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND -> {
          user_regs_struct.rax(general, call);
          user_regs_struct.rip(general, user_regs_struct.rip(general) - SYSCALL_INSTRUCTION);
        }
        case ERESTART_RESTARTBLOCK -> user_regs_struct.rax(general, -EINTR);
        default -> {
          // It has its result already.
        }
      }
    }
    user_regs_struct.orig_rax(general, -1);
  }

  /**
   * Gives the registers to a tracee that is stopped.
   *
   * @throws IOException also if the thread used registers that this kernel does not save
   */
  void apply() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment own = arena.allocate(MOST_EXTENDED, 64);
      int size = Ptrace.registers(thread, Linux.NT_X86_XSTATE(), own);
      MemorySegment target = own.asSlice(0, size);
      long known = own.get(ValueLayout.JAVA_LONG, FEATURES_KNOWN);
      MemorySegment source = MemorySegment.ofArray(extended);
      long used = source.get(ValueLayout.JAVA_LONG_UNALIGNED, FEATURES_USED);
      if ((used & ~known) != 0) {
        throw new IOException(
            "thread %d uses register features 0x%x, this kernel saves 0x%x"
                .formatted(thread, used, known));
      }
      // The place of each feature is the processor's; kernels differ in how many they have.
      target.fill((byte) 0);
      target.copyFrom(source.asSlice(0, Math.min(extended.length, size)));
      target.set(ValueLayout.JAVA_LONG, FEATURES_KNOWN, known);
      Ptrace.setRegisters(
          thread, Linux.NT_PRSTATUS(), arena.allocateFrom(ValueLayout.JAVA_BYTE, registers));
      Ptrace.setRegisters(thread, Linux.NT_X86_XSTATE(), target);
      Ptrace.setSignalMask(thread, signalMask);
    }
  }
}
