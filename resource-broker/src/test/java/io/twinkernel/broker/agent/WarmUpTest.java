package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Test;

/** How often something is rehearsed, by how long it takes each time. */
final class WarmUpTest {
  private long now;
  private int run;

  private int runs(IntToLongFunction took) throws Exception {
    return WarmUp.untilSteady(20, () -> now += took.applyAsLong(run++), () -> now);
  }

  @Test
  void whatIsSteadyFromTheStartIsDoneOftenAllTheSame() throws Exception {
    assertThat(runs(number -> 1000)).isEqualTo(20);
  }

  @Test
  void whatGetsFasterIsDoneOn() throws Exception {
    // A tenth less each time, up to the 30th; then five times no better.
    assertThat(runs(number -> Math.round(1e9 * Math.pow(0.9, Math.min(number, 29))))).isEqualTo(35);
  }

  @Test
  void lessPracticeIsLessAllTheSame() throws Exception {
    assertThat(WarmUp.untilSteady(2, () -> now += 1000, () -> now)).isEqualTo(2);
    assertThat(WarmUp.untilSteady(2, () -> now += 1L << (40 - run++), () -> now)).isEqualTo(6);
  }

  @Test
  void whatNeverGetsSteadyEnds() throws Exception {
    assertThat(runs(number -> 1L << (62 - number))).isEqualTo(60);
  }
}
