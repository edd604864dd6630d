package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.ffi.Clocks;
import org.junit.jupiter.api.Test;

final class ClockSteeringTest {
  private static final long KHZ = 2_000_000;
  private static final long SECOND_TICKS = KHZ * 1000;
  private static final long SECOND = 1_000_000_000;

  @Test
  void aReadingIsOfItsMomentAndCrosses() throws Exception {
    ClockReading first = ClockReading.now();
    long monotonic = Clocks.monotonicNanos();
    long boottime = Clocks.boottimeNanos();
    assertThat(first.monotonic()).isBetween(monotonic - SECOND, monotonic);
    assertThat(first.boottime()).isBetween(boottime - SECOND, boottime + 100_000);
    assertThat(ClockReading.now().tsc()).isGreaterThan(first.tsc());
    var json = new Fields(Json.parse(Json.write(first.toJson())));
    assertThat(ClockReading.fromJson(json)).isEqualTo(first);
  }

  private static ClockReading reading(long tsc, long monotonic) {
    return new ClockReading(tsc, monotonic, monotonic + 20 * SECOND, 0, false);
  }

  @Test
  void copiesGoOnFromWhatAsClocksSay() {
    ClockReading there = reading(5 * SECOND_TICKS, 70 * SECOND);
    ClockReading here = reading(8 * SECOND_TICKS, 2 * SECOND);
    var steering = new ClockSteering(there, here, KHZ);
    assertThat(here.ahead(steering.offsets())).isEqualTo(reading(8 * SECOND_TICKS, 73 * SECOND));
  }

  @Test
  void aClockThatGoesByTheTscIsKnownExactly() {
    var now = new ClockReading(9, 9, 9, -12.5, true);
    // Whatever was before.
    assertThat(now.nanosPerTick(reading(1, 1), KHZ) * KHZ).isCloseTo(1e6 - 12.5, within(1e-6));
  }

  @Test
  void anotherIsMeasured() {
    ClockReading start = reading(0, 0);
    ClockReading now = reading(10 * SECOND_TICKS, 10 * SECOND + 5_000_000);
    assertThat(now.nanosPerTick(start, KHZ) * KHZ).isCloseTo(1_000_500, within(1e-3));
    // Set to 40 ppm in between, it is that much faster now, and was by half of it all in all.
    var faster = new ClockReading(now.tsc(), now.monotonic(), 0, 40, false);
    assertThat(faster.nanosPerTick(start, KHZ) * KHZ).isCloseTo(1_000_520, within(0.1));
  }

  @Test
  void anErrorIsOfOneMoment() {
    ClockReading other = reading(SECOND_TICKS, 50 * SECOND);
    ClockReading later = reading(4 * SECOND_TICKS, 53 * SECOND + 7_000);
    assertThat(later.aheadOf(other, SECOND / (double) SECOND_TICKS))
        .isCloseTo(7_000, within(0.001));
  }
}
