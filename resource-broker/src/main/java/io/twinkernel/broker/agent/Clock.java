package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;

/** Carries CLOCK_REALTIME from one kernel to the other by means of the TSC. */
record Clock(long tscKhz) {
  private static final double MILLION = 1e6;

  /** How often a clock is set at most: readings have an error, too. */
  private static final int SETTINGS = 3;

  /** A clock that is so close, in ns, is left alone. */
  private static final long CLOSE = 10_000;

  /** Says in the shared region what time it is. */
  void publish(SharedRegion region) throws SyscallException {
    ClockMoment now = ClockMoment.closest(Linux.CLOCK_REALTIME());
    region.publishClock(now.tsc(), now.nanos());
  }

  /** Sets this kernel's CLOCK_REALTIME to what the other one published, unless it is that. */
  void adopt(SharedRegion region) throws SyscallException {
    // By how much it is off, and not what time it is: that would be late when it is set.
    long offset = offset(region);
    for (int i = 0; i < SETTINGS && Math.abs(offset) > CLOSE; i++) {
      Clocks.shiftRealtime(-offset);
      offset = offset(region);
    }
  }

  /** How far this kernel's CLOCK_REALTIME is ahead of the other one's, in ns. */
  long offset(SharedRegion region) throws SyscallException {
    ClockMoment now = ClockMoment.closest(Linux.CLOCK_REALTIME());
    return now.nanos() - region.realtimeAt(now.tsc(), nanosPerTick());
  }

  /** This kernel's clocks run as fast as the other one's ({@link ClockSteering}). */
  private double nanosPerTick() throws SyscallException {
    return (MILLION + Clocks.rate()) / tscKhz;
  }

  /** Milliseconds between two TSC readings. */
  double millis(long fromTsc, long toTsc) {
    return (toTsc - fromTsc) / (double) tscKhz;
  }
}
