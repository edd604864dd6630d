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
  private static final int TRIES = 5;

  /** Says in the shared region what time it is; the closest of several readings. */
  void publish(SharedRegion region) throws SyscallException {
    long bestTsc = 0;
    long bestTime = 0;
    long bestSpan = Long.MAX_VALUE;
    for (int i = 0; i < TRIES; i++) {
      long before = Tsc.read();
      long time = Clocks.realtimeNanos();
      long after = Tsc.read();
      if (after - before < bestSpan) {
        bestSpan = after - before;
        bestTsc = before + (after - before) / 2;
        bestTime = time;
      }
    }
    region.publishClock(bestTsc, bestTime);
  }

  /** Sets this kernel's CLOCK_REALTIME to what the other one published. */
  void adopt(SharedRegion region) throws SyscallException {
    Clocks.setRealtime(region.realtimeAt(Tsc.read(), tscKhz));
  }

  /**
   * This kernel's clocks now, for {@link #offsets} in the other one.
   *
   * @return TSC, CLOCK_MONOTONIC and CLOCK_BOOTTIME at it, in ns
   */
  static Map<String, Object> reading() throws SyscallException {
    long before = Tsc.read();
    long monotonic = Clocks.monotonicNanos();
    long boottime = Clocks.boottimeNanos();
    long middle = before + (Tsc.read() - before) / 2;
    return Map.of("tsc", middle, "monotonic", monotonic, "boottime", boottime);
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
