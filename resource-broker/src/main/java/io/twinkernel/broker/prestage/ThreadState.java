package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.bindings.user_regs_struct;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
  private static final int CALL = (int) user_regs_struct.orig_rax$offset();
  private static final int RESULT = (int) user_regs_struct.rax$offset();
  private static final int EINTR = 4;
  // include/linux/errno.h, known to the kernel alone.
  private static final int ERESTARTSYS = 512;
  private static final int ERESTARTNOINTR = 513;
  private static final int ERESTARTNOHAND = 514;
  private static final int ERESTART_RESTARTBLOCK = 516;

  /** Whether a thread in that state need not be given this one. */
  boolean sameAs(ThreadState other) {
    return thread == other.thread
        && signalMask == other.signalMask
        && Arrays.equals(registers, other.registers)
        && Arrays.equals(extended, other.extended);
  }

  /**
   * A system call that the stop has interrupted is left as it is where the other kernel can go on
   * with it: it makes it again, or, where a signal waits and its handler wants that, lets it return
   * EINTR (handle_signal() in arch/x86/kernel/signal.c). One that only the former kernel could go
   * on with, such as a sleep, returns EINTR.
   *
   * @param general a {@code user_regs_struct}, which is changed so
   * @return the same
   */
  static byte[] leaveSystemCall(byte[] general) {
    ByteBuffer registers = ByteBuffer.wrap(general).order(ByteOrder.nativeOrder());
    if (registers.getInt(CALL) >= 0) {
      switch ((int) -registers.getLong(RESULT)) {
        case ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND -> {
          return general;
        }
        case ERESTART_RESTARTBLOCK -> registers.putLong(RESULT, -EINTR);
        default -> {
          // It has its result already.
        }
      }
    }
    registers.putLong(CALL, -1);
    return general;
  }
}
