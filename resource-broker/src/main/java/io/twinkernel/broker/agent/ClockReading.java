package io.twinkernel.broker.agent;

import io.twinkernel.broker.process.ClockOffsets;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.Map;

/**
 * What clocks said at a TSC value, which both kernels have in common.
 *
 * @param tsc in ticks
 * @param monotonic CLOCK_MONOTONIC, in ns
 * @param boottime CLOCK_BOOTTIME, in ns
 * @param rate {@link Clocks#rate} at the time, in ppm
 * @param byTsc whether the TSC is the kernel's clock source
 */
record ClockReading(long tsc, long monotonic, long boottime, double rate, boolean byTsc) {
  private static final String SOURCE =
      "/sys/devices/system/clocksource/clocksource0/current_clocksource";

  private static final double MILLION = 1e6;

  /** What a rate is told in, of a ppm: as the kernel has it. */
  private static final double PART = 1 << 16;

  /** This kernel's now. */
  static ClockReading now() throws IOException {
    ClockMoment now = ClockMoment.closest(Linux.CLOCK_MONOTONIC());
    // They differ by the time that the machine was suspended, which it is not now.
    long suspended = Clocks.boottimeNanos() - Clocks.monotonicNanos();
    boolean byTsc = SysFiles.read(SOURCE).strip().equals("tsc");
    return new ClockReading(now.tsc(), now.nanos(), now.nanos() + suspended, Clocks.rate(), byTsc);
  }

  /** Of clocks that are ahead of these. */
  ClockReading ahead(ClockOffsets offsets) {
    return new ClockReading(
        tsc, monotonic + offsets.monotonic(), boottime + offsets.boottime(), rate, byTsc);
  }

  /** For the other kernel. */
  Map<String, Object> toJson() {
    return Map.of(
        "tsc",
        tsc,
        "monotonic",
        monotonic,
        "boottime",
        boottime,
        "rate",
        Math.round(rate * PART),
        "by_tsc",
        byTsc);
  }

  static ClockReading fromJson(Fields reading) throws IOException {
    return new ClockReading(
        reading.number("tsc"),
        reading.number("monotonic"),
        reading.number("boottime"),
        reading.number("rate") / PART,
        reading.flag("by_tsc"));
  }

  /**
   * Nanoseconds that the clocks go on for each tick of the TSC as they are set now: exactly, where
   * they go by that, and else by how they went since an earlier reading.
   *
   * @param tscKhz the TSC's frequency, which both kernels take for the same
   */
  double nanosPerTick(ClockReading earlier, long tscKhz) {
    if (byTsc) {
      return (MILLION + rate) / tscKhz;
    }
    double average = (monotonic - earlier.monotonic) / (double) (tsc - earlier.tsc);
    return average * (MILLION + rate) / (MILLION + (rate + earlier.rate) / 2);
  }

  /** How far CLOCK_MONOTONIC is ahead of one that said what another reading says, in ns. */
  double aheadOf(ClockReading other, double nanosPerTick) {
    return monotonic - other.monotonic - (tsc - other.tsc) * nanosPerTick;
  }
}
