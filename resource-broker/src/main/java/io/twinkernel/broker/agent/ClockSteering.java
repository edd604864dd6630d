package io.twinkernel.broker.agent;

import io.twinkernel.broker.process.ClockOffsets;
import io.twinkernel.ffi.Clocks;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/**
 * B: has this kernel's clocks run as fast as A's do, and CLOCK_MONOTONIC of the copies that wait
 * here, whose distance from this kernel's is set for good before they come, say what A's says. Two
 * kernels do not run alike: NTP steers the one, and a clock source other than the TSC is only known
 * to some hundred ppm.
 */
final class ClockSteering {
  /** An error this small, in ns, is left alone; readings have one, too. */
  private static final double CLOSE = 3_000;

  /** As much faster or slower a clock may run to get there; a kernel allows a tenth in all. */
  private static final double STEEP = 0.07;

  /** As long it does at least, in ns: shorter would be less exact. */
  private static final double SHORTEST = 50e6;

  /** And at most, all in all: A waits. */
  private static final double LONGEST = 2e9;

  /** What clocks of one machine do not differ by for long, in ppm. */
  private static final double ABSURD = 20_000;

  private static final double MILLION = 1e6;

  private final ClockReading first;
  private final long tscKhz;
  private final ClockOffsets offsets;

  /**
   * @param first of the clocks that the processes have in A
   * @param here of this kernel's
   * @param tscKhz the TSC's frequency, as far as it is known
   */
  ClockSteering(ClockReading first, ClockReading here, long tscKhz) {
    this.first = first;
    this.tscKhz = tscKhz;
    long passed = Math.round((here.tsc() - first.tsc()) * MILLION / tscKhz);
    this.offsets =
        new ClockOffsets(
            first.monotonic() + passed - here.monotonic(),
            first.boottime() + passed - here.boottime());
  }

  /** How far the copies' clocks are to be ahead of this kernel's. */
  ClockOffsets offsets() {
    return offsets;
  }

  /** Sets the rate, if it is known already: then there is less to steer later. */
  void begin() throws IOException {
    if (first.byTsc()) {
      double rate = rate(first.nanosPerTick(first, tscKhz));
      if (isUsual(rate)) {
        Clocks.setRate(rate);
      }
    }
  }

  /**
   * Brings them together, which takes some fifteen times as long as they are apart by.
   *
   * @param later of the same clocks in A
   */
  void steer(ClockReading later) throws IOException {
    double nanosPerTick = later.nanosPerTick(first, tscKhz);
    double rate = rate(nanosPerTick);
    ClockReading here = ClockReading.now();
    double before = error(here, later, nanosPerTick);
    if (!here.byTsc() || !isUsual(rate)) {
      KernelLog.say(
          "clocks are left as they are: A's run at %+.3f ppm of the TSC, CLOCK_MONOTONIC is %+.0f ns from A's"
              .formatted(rate, before));
      return;
    }
    double error = before;
    Clocks.setRate(rate);
    for (double left = LONGEST; left >= SHORTEST && Math.abs(error) > CLOSE; ) {
      double nanos = Math.min(left, Math.max(SHORTEST, Math.abs(error) / STEEP));
      Clocks.setRate(rate - Math.clamp(error / nanos, -STEEP, STEEP) * MILLION);
      await(System.nanoTime() + (long) nanos);
      Clocks.setRate(rate);
      left -= nanos;
      error = error(ClockReading.now(), later, nanosPerTick);
    }
    KernelLog.say(
        "clocks run at %+.3f ppm, as A's; CLOCK_MONOTONIC was %+.0f ns from A's, is %+.0f"
            .formatted(rate, before, error));
  }

  private static boolean isUsual(double rate) {
    return Math.abs(rate) <= ABSURD;
  }

  /** What this kernel's clocks are to be set to, which go by the TSC, in ppm. */
  private double rate(double nanosPerTick) {
    return nanosPerTick * tscKhz - MILLION;
  }

  private double error(ClockReading here, ClockReading later, double nanosPerTick) {
    return here.ahead(offsets).aheadOf(later, nanosPerTick);
  }

  private static void await(long deadline) {
    for (long left; (left = deadline - System.nanoTime()) > 0; ) {
      LockSupport.parkNanos(left);
    }
  }
}
