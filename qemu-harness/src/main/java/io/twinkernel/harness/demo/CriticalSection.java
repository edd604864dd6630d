package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.report.DemoReport.Phase;
import io.twinkernel.harness.report.DemoReport.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The part of an upgrade in which nobody serves, as the brokers traced it: by the time stamp
 * counter, which both kernels read. They tell of it afterwards, in one event.
 *
 * <p>It has three phases. Freeze ends when A has read the processes' last changes, by a dump or of
 * what copies of them in B lack; resume begins when B starts to bring them to life; switch is what
 * lies between.
 */
final class CriticalSection {

  private final UpgradeEvent told;
  private final double ticksPerMilli;
  private final List<JsonNode> steps;

  private CriticalSection(UpgradeEvent told, List<JsonNode> steps) {
    this.told = told;
    this.steps = steps;
    this.ticksPerMilli = told.detail().path("tsc_khz").asDouble();
  }

  /** What the events tell of it, if they do. */
  static Optional<CriticalSection> in(List<UpgradeEvent> events) {
    for (UpgradeEvent event : events) {
      List<JsonNode> steps = new ArrayList<>();
      event.detail().path("trace").forEach(steps::add);
      if (!steps.isEmpty() && event.tsc() > 0 && event.detail().path("tsc_khz").asDouble() > 0) {
        return Optional.of(new CriticalSection(event, steps));
      }
    }
    return Optional.empty();
  }

  /** Every step, in ms since the first one began. */
  List<Step> steps() {
    return steps.stream()
        .map(
            step ->
                new Step(
                    step.path("name").asText(),
                    step.path("side").asText("A"),
                    millis(from(step) - begin()),
                    millis(to(step) - from(step))))
        .toList();
  }

  /**
   * Freeze, switch and resume.
   *
   * @param toldAt when the event that tells of them was, in ms on the timeline
   */
  List<Phase> phases(double toldAt) {
    long frozen =
        steps.stream()
            .filter(s -> is(s, "A", "dump") || is(s, "A", "read-offsets"))
            .mapToLong(CriticalSection::to)
            .max()
            .orElse(begin());
    long restoring =
        Math.max(
            frozen,
            steps.stream()
                .filter(s -> is(s, "B", "restore"))
                .mapToLong(CriticalSection::from)
                .min()
                .orElse(frozen));
    long end =
        Math.max(restoring, steps.stream().mapToLong(CriticalSection::to).max().orElse(restoring));
    return List.of(
        phase("freeze", "A", begin(), frozen, toldAt),
        phase("switch", "A and B", frozen, restoring, toldAt),
        phase("resume", told.kernel(), restoring, end, toldAt));
  }

  private Phase phase(String name, String kernel, long from, long to, double toldAt) {
    double fromMs = toldAt - (told.tsc() - from) / ticksPerMilli;
    return new Phase(name, "done", kernel, rounded(fromMs), millis(to - from));
  }

  private long begin() {
    return steps.stream().mapToLong(CriticalSection::from).min().orElse(0);
  }

  private static boolean is(JsonNode step, String side, String name) {
    return step.path("side").asText().equals(side) && step.path("name").asText().equals(name);
  }

  private static long from(JsonNode step) {
    return step.path("from_tsc").asLong();
  }

  private static long to(JsonNode step) {
    return step.path("to_tsc").asLong();
  }

  private double millis(long ticks) {
    return rounded(ticks / ticksPerMilli);
  }

  private static double rounded(double millis) {
    return Math.round(millis * 1000) / 1000.0;
  }

  UpgradeEvent told() {
    return told;
  }
}
