package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.report.DemoReport.Phase;
import io.twinkernel.harness.report.DemoReport.Step;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * When the phases were. An event carries its kernel's wall clock, which B takes over from A; how
 * that relates to this process's {@link System#nanoTime} follows from the event that came quickest:
 * events of the critical section come late, after it.
 */
final class Timeline {

  private static final double NANOS = 1e6;

  private final List<UpgradeEvent> events;
  private final long origin;
  private final Map<Boolean, Double> offsets = new LinkedHashMap<>();

  /**
   * Sets the clocks against each other.
   *
   * @param origin {@link System#nanoTime} when the upgrade was asked for: the timeline's 0
   */
  Timeline(List<UpgradeEvent> events, long origin) {
    this.events = List.copyOf(events);
    this.origin = origin;
    for (UpgradeEvent event : events) {
      offsets.merge(ofGuest(event), event.receivedAt() / NANOS - event.atMillis(), Math::min);
    }
  }

  private static boolean ofGuest(UpgradeEvent event) {
    return !event.kernel().isEmpty();
  }

  /** Milliseconds since the upgrade was asked for. */
  double at(UpgradeEvent event) {
    double offset = offsets.getOrDefault(ofGuest(event), 0.0);
    return Math.round((event.atMillis() + offset - origin / NANOS) * 1000) / 1000.0;
  }

  /** The phases in the order of their first event. */
  List<Phase> phases() {
    Map<String, List<UpgradeEvent>> byPhase = new LinkedHashMap<>();
    for (UpgradeEvent event : events) {
      byPhase.computeIfAbsent(event.phase(), name -> new ArrayList<>()).add(event);
    }
    List<Phase> phases = new ArrayList<>();
    byPhase.forEach(
        (name, all) -> {
          UpgradeEvent last = last(all);
          double from = at(beginning(all.getFirst()));
          double length = Math.max(0, Math.round((at(last) - from) * 1000) / 1000.0);
          phases.add(new Phase(name, last.status(), last.kernel(), from, length));
        });
    return phases;
  }

  /** A phase that is only told of at its end began with what led to it. */
  private UpgradeEvent beginning(UpgradeEvent first) {
    int index = events.indexOf(first);
    return first.status().equals("started") || index == 0 ? first : events.get(index - 1);
  }

  /** What ended the phase, or else its latest event. */
  private static UpgradeEvent last(List<UpgradeEvent> all) {
    return all.stream()
        .filter(event -> event.status().equals("done") || event.status().equals("failed"))
        .findFirst()
        .orElse(all.getLast());
  }

  /** {@link System#nanoTime} of an event. */
  long nanoTime(UpgradeEvent event) {
    return origin + Math.round(at(event) * NANOS);
  }

  /** The steps of the critical section, from the first one's start, if the brokers sent them. */
  List<Step> trace(double ticksPerMilli) {
    List<JsonNode> steps = new ArrayList<>();
    for (UpgradeEvent event : events) {
      event.detail().path("trace").forEach(steps::add);
    }
    long first = steps.stream().mapToLong(s -> s.path("from_tsc").asLong()).min().orElse(0);
    return steps.stream()
        .map(
            step -> {
              long from = step.path("from_tsc").asLong();
              long ticks = step.path("to_tsc").asLong() - from;
              return new Step(
                  step.path("name").asText(),
                  step.path("side").asText("A"),
                  rounded((from - first) / ticksPerMilli),
                  rounded(ticks / ticksPerMilli));
            })
        .toList();
  }

  private static double rounded(double millis) {
    return Math.round(millis * 1000) / 1000.0;
  }
}
