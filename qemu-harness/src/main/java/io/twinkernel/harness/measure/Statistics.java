package io.twinkernel.harness.measure;

import io.twinkernel.harness.report.DemoReport;
import io.twinkernel.harness.report.DemoReport.Check;
import io.twinkernel.harness.report.Distribution;
import io.twinkernel.harness.report.MeasureReport.Baseline;
import io.twinkernel.harness.report.MeasureReport.Run;
import io.twinkernel.harness.report.MeasureReport.StepFigures;
import io.twinkernel.harness.report.Svg;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the runs' figures say together. What is not known counts as broken. */
final class Statistics {

  private final List<Run> runs;
  private final int asked;
  private final Targets targets;

  /**
   * Of the runs that left a report.
   *
   * @param asked how many were to be
   */
  Statistics(List<Run> runs, int asked, Targets targets) {
    this.runs = List.copyOf(runs);
    this.asked = asked;
    this.targets = targets;
  }

  @Nullable Distribution gap() {
    return runs.isEmpty() ? null : Distribution.of(runs.stream().map(Run::gapMs).toList());
  }

  /** Each part's longest gap over the runs that have it, in the order of the runs. */
  Map<String, Distribution> parts() {
    return distributions(Run::parts);
  }

  /** The run with the longest gap. */
  @Nullable Run worst() {
    return runs.stream().max(Comparator.comparingDouble(Run::gapMs)).orElse(null);
  }

  /** The steps, those first that are longest in the worst run beyond what they usually are. */
  List<StepFigures> steps() {
    Run worst = worst();
    if (worst == null) {
      return List.of();
    }
    List<StepFigures> steps = new ArrayList<>();
    distributions(Run::steps)
        .forEach(
            (name, figures) -> {
              double there = worst.steps().getOrDefault(name, 0.0);
              steps.add(new StepFigures(name, figures, there, there - figures.median()));
            });
    steps.sort(Comparator.comparingDouble(StepFigures::excess).reversed());
    return steps;
  }

  /** Segments that were sent again in the switch, of the runs in which every packet was seen. */
  @Nullable Distribution retransmissions() {
    List<Double> seen =
        runs.stream()
            .map(Run::wire)
            .filter(Objects::nonNull)
            .filter(wire -> wire.missed() == 0)
            .map(wire -> (double) wire.retransmissionsInSwitch())
            .toList();
    return seen.isEmpty() ? null : Distribution.of(seen);
  }

  @Nullable Baseline baseline(List<Double> kexec) {
    Distribution gap = gap();
    if (kexec.isEmpty() || gap == null) {
      return null;
    }
    Distribution by = Distribution.of(kexec);
    return new Baseline(by, gap.median() > 0 ? by.median() / gap.median() : 0);
  }

  /**
   * The promises.
   *
   * @param baselines how many runs by kexec were to be
   */
  Map<String, Check> checks(List<Double> kexec, int baselines) {
    Map<String, Check> checks = new LinkedHashMap<>();
    long kept = runs.stream().filter(Run::kept).count();
    checks.put(
        "every upgrade kept its promises",
        new Check(kept == asked && asked > 0, kept + " of " + asked));
    Distribution gap = gap();
    checks.put(
        "the median gap is at most " + Svg.duration(targets.medianMs),
        gap == null ? unknown() : atMost(gap.median(), targets.medianMs));
    checks.put(
        "the worst gap is at most " + Svg.duration(targets.worstMs),
        gap == null ? unknown() : atMost(gap.worst(), targets.worstMs));
    Distribution again = retransmissions();
    checks.put(
        "no segment is sent again in the switch, in the median run",
        again == null
            ? unknown()
            : new Check(
                again.median() == 0,
                String.format(
                    Locale.ROOT, "median %.1f, most %.0f", again.median(), again.worst())));
    long resets =
        runs.stream()
            .map(Run::wire)
            .filter(Objects::nonNull)
            .mapToLong(DemoReport.Wire::resets)
            .sum();
    boolean allSeen = !runs.isEmpty() && runs.stream().allMatch(run -> run.wire() != null);
    checks.put("no reset on the wire", new Check(allSeen && resets == 0, resets + " resets"));
    if (baselines > 0) {
      Baseline baseline = baseline(kexec);
      checks.put(
          String.format(Locale.ROOT, "at least %.0f times shorter than kexec", targets.ratio),
          baseline == null
              ? unknown()
              : new Check(
                  baseline.ratio() >= targets.ratio,
                  String.format(
                      Locale.ROOT,
                      "%.1f times: kexec took %s in the median of %d",
                      baseline.ratio(),
                      Svg.duration(baseline.gap().median()),
                      baseline.gap().count())));
    }
    return checks;
  }

  private static Check atMost(double found, double most) {
    return new Check(found <= most, Svg.duration(found));
  }

  private static Check unknown() {
    return new Check(false, "no run told");
  }

  private Map<String, Distribution> distributions(Function<Run, Map<String, Double>> figures) {
    Map<String, List<Double>> all = new LinkedHashMap<>();
    for (Run run : runs) {
      figures
          .apply(run)
          .forEach((name, ms) -> all.computeIfAbsent(name, one -> new ArrayList<>()).add(ms));
    }
    Map<String, Distribution> distributions = new LinkedHashMap<>();
    all.forEach((name, list) -> distributions.put(name, Distribution.of(list)));
    return distributions;
  }
}
