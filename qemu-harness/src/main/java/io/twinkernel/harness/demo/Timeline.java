package io.twinkernel.harness.demo;

import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.report.DemoReport.Phase;
import io.twinkernel.harness.report.DemoReport.Step;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * When the phases were. An event carries its kernel's wall clock, which B takes over from A; how
 * that relates to this process's {@link System#nanoTime} follows from the event that came quickest:
 * events of the critical section come late, after it.
 */
final class Timeline {

  private static final double NANOS = 1e6;
  private static final List<String> GAP = List.of("freeze", "switch", "resume");

  private final List<UpgradeEvent> events;
  private final long origin;
  private final Optional<CriticalSection> critical;
  private final Map<Boolean, Double> offsets = new LinkedHashMap<>();

  /**
   * Sets the clocks against each other.
   *
   * @param origin {@link System#nanoTime} when the upgrade was asked for: the timeline's 0
   */
  Timeline(List<UpgradeEvent> events, long origin) {
    this.events = List.copyOf(events);
    this.origin = origin;
    this.critical = CriticalSection.in(this.events);
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

  /** The phases in the order of their beginnings. */
  List<Phase> phases() {
    Map<String, List<UpgradeEvent>> byPhase = new LinkedHashMap<>();
    for (UpgradeEvent event : events) {
      byPhase.computeIfAbsent(event.phase(), name -> new ArrayList<>()).add(event);
    }
    // One event at the end tells of all three; the control plane's own says when it said go.
    critical.ifPresent(_ -> GAP.forEach(byPhase::remove));
    List<Phase> phases = new ArrayList<>();
    critical.ifPresent(section -> phases.addAll(section.phases(at(section.told()))));
    byPhase.forEach(
        (name, all) -> {
          UpgradeEvent last = last(all);
          double from = at(beginning(all.getFirst()));
          double length = Math.max(0, Math.round((at(last) - from) * 1000) / 1000.0);
          phases.add(new Phase(name, last.status(), last.kernel(), from, length));
        });
    phases.sort(Comparator.comparingDouble(Phase::fromMs));
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

  /** The steps of the critical section, from the first one's start, if the brokers told of them. */
  List<Step> trace() {
    return critical.map(CriticalSection::steps).orElse(List.of());
  }

  /** When a phase of {@link #phases} began, on {@link System#nanoTime}. */
  OptionalLong began(String phase) {
    return phases().stream()
        .filter(one -> one.name().equals(phase))
        .mapToLong(one -> nanoTime(one.fromMs()))
        .findFirst();
  }

  /** When it ended. */
  OptionalLong ended(String phase) {
    return phases().stream()
        .filter(one -> one.name().equals(phase))
        .mapToLong(one -> nanoTime(one.fromMs() + one.ms()))
        .findFirst();
  }

  private long nanoTime(double millis) {
    return origin + Math.round(millis * NANOS);
  }
}
