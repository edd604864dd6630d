package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.process.ClockOffsets;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.util.Map;

/** Carries CLOCK_REALTIME from one kernel to the other by means of the TSC. */
record Clock(long tscKhz) {
  private static final int READINGS = 10;

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
    return now.realtime() - region.realtimeAt(now.tsc(), tscKhz);
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

  /**
   * Clocks of this kernel now, for {@link #offsets} in the other one.
   *
   * @param ahead what they are to be ahead of this kernel's own
   * @return TSC, CLOCK_MONOTONIC and CLOCK_BOOTTIME at it, in ns
   */
  static Map<String, Object> reading(ClockOffsets ahead) throws SyscallException {
    long before = Tsc.read();
    long monotonic = Clocks.monotonicNanos();
    long boottime = Clocks.boottimeNanos();
    long middle = before + (Tsc.read() - before) / 2;
    return Map.of(
        "tsc",
        middle,
        "monotonic",
        monotonic + ahead.monotonic(),
        "boottime",
        boottime + ahead.boottime());
  }

  /** How far the other kernel's clocks are ahead of this one's. */
  ClockOffsets offsets(Fields reading) throws IOException {
    long before = Tsc.read();
    long monotonic = Clocks.monotonicNanos();
    long boottime = Clocks.boottimeNanos();
    long middle = before + (Tsc.read() - before) / 2;
    long passed = Math.round(millis(reading.number("tsc"), middle) * 1e6);
    return new ClockOffsets(
        reading.number("monotonic") + passed - monotonic,
        reading.number("boottime") + passed - boottime);
  }

  /** Milliseconds between two TSC readings. */
  double millis(long fromTsc, long toTsc) {
    return (toTsc - fromTsc) / (double) tscKhz;
  }
}
