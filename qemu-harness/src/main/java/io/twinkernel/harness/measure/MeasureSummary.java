package io.twinkernel.harness.measure;

import io.twinkernel.harness.report.Distribution;
import io.twinkernel.harness.report.MeasureReport;
import io.twinkernel.harness.report.MeasureReport.StepFigures;
import io.twinkernel.harness.report.Svg;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The statistics in a screenful of text. */
final class MeasureSummary {

  private static final int STEPS = 16;

  private MeasureSummary() {}

  static String of(MeasureReport report) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%nGaps over %d upgrades, %s%n%-28s %10s %10s %10s%n",
            report.runs().size(),
            report.accelerator(),
            "",
            "median",
            "90 %",
            "worst"));
    row(text, "all of the run", report.gap());
    report.parts().forEach((part, figures) -> row(text, "  " + part, figures));
    if (report.baseline() != null) {
      row(text, "by kexec", report.baseline().gap());
      text.append(String.format(Locale.ROOT, "  %.1f times as long%n", report.baseline().ratio()));
    }
    text.append(
        String.format(
            Locale.ROOT,
            "%nWhat makes the worst, run %d%n%-28s %10s %10s %10s %10s%n",
            report.worst(),
            "",
            "median",
            "90 %",
            "there",
            "more by"));
    for (StepFigures step : report.steps().stream().limit(STEPS).toList()) {
      text.append(
          String.format(
              Locale.ROOT,
              "  %-26s %10s %10s %10s %10s%n",
              step.name(),
              Svg.duration(step.ms().median()),
              Svg.duration(step.ms().p90()),
              Svg.duration(step.inWorst()),
              Svg.duration(step.excess())));
    }
    text.append(String.format(Locale.ROOT, "%nPromises%n"));
    report
        .checks()
        .forEach(
            (name, check) ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "  %-6s %s: %s%n",
                        check.ok() ? "kept" : "BROKEN",
                        name,
                        check.reason())));
    return text.toString();
  }

  private static void row(StringBuilder text, String name, @Nullable Distribution figures) {
    if (figures == null) {
      text.append(String.format(Locale.ROOT, "  %-26s no run told%n", name));
      return;
    }
    text.append(
        String.format(
            Locale.ROOT,
            "  %-26s %10s %10s %10s%n",
            name,
            Svg.duration(figures.median()),
            Svg.duration(figures.p90()),
            Svg.duration(figures.worst())));
  }
}
