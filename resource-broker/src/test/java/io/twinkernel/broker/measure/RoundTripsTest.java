package io.twinkernel.broker.measure;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RoundTripsTest {
  private static final long START = Long.MAX_VALUE - 10;

  /** Each as long as that; returns how many went by until it was enough. */
  private static int run(RoundTrips trips, long nanos) {
    int over = 1;
    long now = START;
    while (!trips.add(now, now + nanos)) {
      now += nanos;
      over++;
    }
    return over;
  }

  @Test
  void asManyAsAskedForAfterAQuarterThatDoesNotCount() {
    var trips = new RoundTrips(new Effort(100, 0, 1_000_000), START);

    assertThat(run(trips, 10)).isEqualTo(125);
    assertThat(trips.nanos()).hasSize(100).containsOnly(10);
  }

  @Test
  void slowOnesGetTheirTimeAfterThoseThatDoNotCount() {
    var trips = new RoundTrips(new Effort(4000, 0, 1000), START);

    run(trips, 10);
    assertThat(trips.nanos()).hasSizeBetween(100, 101).containsOnly(10);
  }

  @Test
  void oneThatTakesAllTheTimeCounts() {
    var trips = new RoundTrips(new Effort(4, 0, 1000), START);

    assertThat(run(trips, 5000)).isEqualTo(2);
    assertThat(trips.nanos()).containsExactly(5000);
  }
}
