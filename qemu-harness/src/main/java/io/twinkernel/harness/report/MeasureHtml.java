package io.twinkernel.harness.report;

import io.twinkernel.harness.report.MeasureReport.Run;
import io.twinkernel.harness.report.MeasureReport.StepFigures;
import java.util.List;
import java.util.Locale;

/** The statistics of many runs as one page that needs nothing else. */
final class MeasureHtml {

  private final MeasureReport report;

  MeasureHtml(MeasureReport report) {
    this.report = report;
  }

  String render() {
    StringBuilder page = new StringBuilder();
    String title = report.runs().size() + " upgrades from " + report.from() + " to " + report.to();
    ReportHtml.begin(page, title);
    page.append("<h1>").append(Svg.escape(title)).append("</h1>\n<p class=\"soft\">");
    page.append(
        Svg.escape(
            String.format(
                Locale.ROOT,
                "%s · QEMU with %s · %d MiB of data · %d connections · %s%s",
                report.started(),
                report.accelerator(),
                report.megabytes(),
                report.connections(),
                Svg.duration(report.durationMs()),
                report.fault() == null ? "" : " · fault " + report.fault())));
    page.append("</p>\n");
    cards(page);
    runs(page);
    parts(page);
    steps(page);
    ReportHtml.checks(page, report.checks());
    page.append("</body>\n</html>\n");
    return page.toString();
  }

  private void cards(StringBuilder page) {
    page.append("<div class=\"cards\">\n");
    Distribution gap = report.gap();
    if (gap != null) {
      ReportHtml.card(page, Svg.duration(gap.median()), "median gap");
      ReportHtml.card(page, Svg.duration(gap.p90()), "90 % of the gaps are at most");
      ReportHtml.card(page, Svg.duration(gap.worst()), "worst gap, run " + report.worst());
    }
    Distribution again = report.retransmissions();
    if (again != null) {
      ReportHtml.card(
          page,
          String.format(Locale.ROOT, "%.0f / %.0f", again.median(), again.worst()),
          "segments sent again in the switch, median / most");
    }
    MeasureReport.Baseline baseline = report.baseline();
    if (baseline != null) {
      ReportHtml.card(
          page,
          String.format(Locale.ROOT, "%.1f ×", baseline.ratio()),
          "as long by kexec: " + Svg.duration(baseline.gap().median()));
    }
    page.append("</div>\n");
  }

  private void runs(StringBuilder page) {
    page.append("<h2>Gap of each run</h2>\n");
    if (report.runs().isEmpty()) {
      page.append("<p>No run left a report.</p>\n");
      return;
    }
    List<Bars.Bar> bars =
        report.runs().stream()
            .map(
                run ->
                    new Bars.Bar(
                        "run " + run.number(), run.kept() ? "gap" : "undo", 0, run.gapMs()))
            .toList();
    page.append(Bars.render("gaps", bars));
    page.append(
        "<table><tr><th>run</th><th class=\"n\">gap</th><th class=\"n\">began at</th><th class=\"n\">in</th><th class=\"n\">sent again</th><th class=\"n\">broken</th></tr>\n");
    for (Run run : report.runs()) {
      ReportHtml.row(
          page,
          Integer.toString(run.number()),
          Svg.duration(run.gapMs()),
          Svg.duration(run.gapAtMs()),
          run.gapIn(),
          run.wire() == null ? "?" : Long.toString(run.wire().retransmissionsInSwitch()),
          Svg.escape(String.join("; ", run.broken())));
    }
    page.append("</table>\n");
  }

  private void parts(StringBuilder page) {
    page.append(
        "<h2>Longest gap of each part</h2>\n<table><tr><th>part</th><th class=\"n\">median</th><th class=\"n\">90 %</th><th class=\"n\">worst</th></tr>\n");
    report
        .parts()
        .forEach(
            (part, figures) ->
                ReportHtml.row(
                    page,
                    part,
                    Svg.duration(figures.median()),
                    Svg.duration(figures.p90()),
                    Svg.duration(figures.worst())));
    page.append("</table>\n");
  }

  private void steps(StringBuilder page) {
    page.append(
        "<h2>What makes the worst</h2>\n<p class=\"soft\">Steps that are longer in the worst run than in the median come first. Steps overlap: A dumps while B binds the NIC.</p>\n<table><tr><th>step</th><th class=\"n\">median</th><th class=\"n\">90 %</th><th class=\"n\">in the worst run</th><th class=\"n\">more by</th></tr>\n");
    for (StepFigures step : report.steps()) {
      ReportHtml.row(
          page,
          step.name(),
          Svg.duration(step.ms().median()),
          Svg.duration(step.ms().p90()),
          Svg.duration(step.inWorst()),
          Svg.duration(step.excess()));
    }
    page.append("</table>\n");
  }
}
