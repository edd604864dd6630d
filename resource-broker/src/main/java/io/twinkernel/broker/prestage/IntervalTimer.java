package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A process's ITIMER_REAL, which is set (setitimer(2)).
 *
 * @param expiry when it strikes next, in nanoseconds of CLOCK_REALTIME, which both kernels have
 * @param interval after which it does again, each time, in nanoseconds; 0: once
 */
record IntervalTimer(long expiry, long interval) {
  private static final long MICROSECOND = 1000;
  private static final long SECOND = 1_000_000_000;

  /** A {@code struct itimerval}. */
  private static final int BYTES = 4 * Long.BYTES;

  /** Of one that strikes in so many nanoseconds. */
  static IntervalTimer in(long left, long interval) throws SyscallException {
    return new IntervalTimer(Clocks.realtimeNanos() + left, interval);
  }

  /** Has a stopped copy, which is traced meanwhile, set it. */
  void set(int pid, TraceeCalls calls) throws IOException {
    // Never sooner, and not at once: 0 would mean never.
    long left = Math.max(MICROSECOND, expiry - Clocks.realtimeNanos());
    ByteBuffer value = ByteBuffer.allocate(BYTES).order(ByteOrder.nativeOrder());
    put(value, interval);
    put(value, left);
    String subject = "ITIMER_REAL of process " + pid;
    long at = calls.put(value.array());
    calls.call("setitimer", subject, Linux.__NR_setitimer(), Linux.ITIMER_REAL(), at, 0);
  }

  private static void put(ByteBuffer value, long nanos) {
    long microseconds = Math.ceilDiv(nanos, MICROSECOND);
    value.putLong(microseconds / (SECOND / MICROSECOND));
    value.putLong(microseconds % (SECOND / MICROSECOND));
  }
}
