package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.Tsc;

/** Carries CLOCK_REALTIME from one kernel to the other by means of the TSC. */
record Clock(long tscKhz) {
  private static final int READINGS = 10;
  private static final double MILLION = 1e6;

  /** How often a clock is set at most: readings have an error, too. */
  private static final int SETTINGS = 3;

  /** A clock that is so close, in ns, is left alone. */
  private static final long CLOSE = 10_000;

  /** CLOCK_REALTIME (ns) at a TSC value. */
  private record Reading(long tsc, long realtime) {}

  /** Says in the shared region what time it is. */
  void publish(SharedRegion region) throws SyscallException {
    Reading now = closest();
    region.publishClock(now.tsc(), now.realtime());
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
    Reading now = closest();
    return now.realtime() - region.realtimeAt(now.tsc(), nanosPerTick());
  }

  /** Of several readings the one that took the least. */
  private static Reading closest() throws SyscallException {
    Reading closest = new Reading(0, 0);
    long shortest = Long.MAX_VALUE;
    for (int i = 0; i < READINGS; i++) {
      long before = Tsc.read();
      long time = Clocks.realtimeNanos();
      long span = Tsc.read() - before;
      if (span < shortest) {
        shortest = span;
        closest = new Reading(before + span / 2, time);
      }
    }
    return closest;
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
