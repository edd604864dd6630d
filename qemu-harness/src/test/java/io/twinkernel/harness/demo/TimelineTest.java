package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import io.twinkernel.harness.report.DemoReport.Phase;
import io.twinkernel.harness.report.DemoReport.Step;
import org.junit.jupiter.api.Test;

final class TimelineTest {

  /** 1000 ticks a millisecond; the section begins at tick 2,000,000 and is told of 4 s later. */
  private static final String TRACE =
      """
      {"tsc_khz": 1000, "trace": [
        {"name": "freeze", "side": "A", "from_tsc": 2000000, "to_tsc": 2100000},
        {"name": "dump", "side": "A", "from_tsc": 2100000, "to_tsc": 2400000},
        {"name": "nic-bind", "side": "B", "from_tsc": 2300000, "to_tsc": 2500000},
        {"name": "restore", "side": "B", "from_tsc": 2550000, "to_tsc": 2900000},
        {"name": "resume", "side": "B", "from_tsc": 2900000, "to_tsc": 3000000}]}
      """;

  private static Events upgrade() {
    return new Events()
        .at(10, "", "plan", "started")
        .at(110, "", "plan", "done")
        .at(200, "", "boot", "started")
        .at(5200, Events.A, "boot", "progress")
        .at(6000, "", "boot", "done")
        .at(7000, "", "switch", "started")
        .late(11_000, 300, Events.B, "resume", "done", TRACE, 6_000_000)
        .at(11_300, "", "absorb", "started")
        .at(12_300, "", "absorb", "done");
  }

  @Test
  void takesTheGapFromTheBrokersTrace() {
    Timeline timeline = new Timeline(upgrade().list(), Events.ORIGIN);
    assertThat(timeline.phases())
        .extracting(Phase::name, Phase::fromMs, Phase::ms)
        .containsExactly(
            tuple("plan", 10.0, 100.0),
            tuple("boot", 200.0, 5800.0),
            tuple("freeze", 7000.0, 400.0),
            tuple("switch", 7400.0, 150.0),
            tuple("resume", 7550.0, 450.0),
            tuple("absorb", 11_300.0, 1000.0));
    assertThat(timeline.trace())
        .contains(new Step("freeze", "A", 0, 100), new Step("restore", "B", 550, 350));
    assertThat(timeline.began("freeze").orElseThrow())
        .isCloseTo(Events.ORIGIN + 7_000_000_000L, within(1_000_000L));
    assertThat(timeline.ended("resume").orElseThrow())
        .isCloseTo(Events.ORIGIN + 8_000_000_000L, within(1_000_000L));
    assertThat(timeline.began("rollback")).isEmpty();
  }

  /** Where copies wait in B there is no dump: what was read last for them ends the freeze. */
  @Test
  void theFreezeEndsWithWhatWasReadLast() {
    String trace = TRACE.replace("dump", "read-offsets");
    Events events = new Events().late(11_000, 300, Events.B, "resume", "done", trace, 6_000_000);
    assertThat(new Timeline(events.list(), Events.ORIGIN).phases())
        .extracting(Phase::name, Phase::ms)
        .contains(tuple("freeze", 400.0), tuple("switch", 150.0), tuple("resume", 450.0));
  }

  @Test
  void whatIsOnlyToldOfAtItsEndBeganWithWhatLedToIt() {
    Events events =
        new Events()
            .at(0, "", "switch", "started")
            .at(2000, Events.A, "switch", "failed")
            .at(3200, Events.A, "rollback", "done");
    assertThat(new Timeline(events.list(), Events.ORIGIN).phases())
        .extracting(Phase::name, Phase::status, Phase::fromMs, Phase::ms)
        .containsExactly(
            tuple("switch", "failed", 0.0, 2000.0), tuple("rollback", "done", 2000.0, 1200.0));
  }

  @Test
  void nothingHappenedIsNoTimeline() {
    assertThat(new Timeline(new Events().list(), Events.ORIGIN).phases()).isEmpty();
  }
}
