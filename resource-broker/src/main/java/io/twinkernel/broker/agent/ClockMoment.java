package io.twinkernel.broker.agent;

import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.Tsc;

/**
 * What one clock said at a TSC value.
 *
 * @param tsc in ticks
 * @param nanos what the clock said
 */
record ClockMoment(long tsc, long nanos) {
  private static final int READINGS = 10;

  /**
   * Of several readings the one that took the least.
   *
   * @param clock CLOCK_* of {@link io.twinkernel.ffi.bindings.Linux}
   */
  static ClockMoment closest(int clock) throws SyscallException {
    ClockMoment closest = new ClockMoment(0, 0);
    long shortest = Long.MAX_VALUE;
    for (int i = 0; i < READINGS; i++) {
      long before = Tsc.read();
      long time = Clocks.nanos(clock);
      long span = Tsc.read() - before;
      if (span < shortest) {
        shortest = span;
        closest = new ClockMoment(before + span / 2, time);
      }
    }
    return closest;
  }
}
