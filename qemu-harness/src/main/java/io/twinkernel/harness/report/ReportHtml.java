package io.twinkernel.harness.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The report as one page that needs nothing else: no script, no font, no other file. */
final class ReportHtml {

  private static final String STYLE =
      """
      :root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --card: #f6f8fa;
        --line: #d1d9e0; --a: #0969da; --b: #1a7f37; --hot: #cf222e; --cool: #8250df; }
      @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --paper: #0d1117; --card: #161b22;
        --line: #30363d; --a: #58a6ff; --b: #3fb950; --hot: #ff7b72; --cool: #bc8cff; } }
      body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
        max-width: 62rem; padding: 2rem 1.25rem 4rem; }
      h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .5rem; }
      p { margin: .25rem 0 .75rem; } .soft { color: var(--soft); }
      .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
      .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; }
      .card b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
      .card span { color: var(--soft); font-size: .85rem; }
      table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
      th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
      th { color: var(--soft); font-weight: 600; font-size: .85rem; }
      td.n, th.n { text-align: right; }
      .ok { color: var(--b); font-weight: 600; } .bad { color: var(--hot); font-weight: 600; }
      svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
      svg text.label, svg text.value { fill: var(--ink); } .grid { stroke: var(--line); stroke-width: 1; }
      .kernel-a { fill: var(--a); } .kernel-b { fill: var(--b); } .gap { fill: var(--hot); } .undo { fill: var(--cool); }
      .band { fill: var(--card); } .band.odd { fill: var(--line); opacity: .45; }
      .median { fill: none; stroke: var(--a); stroke-width: 1.5; } .worst { fill: var(--hot); opacity: .75; }
      pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; overflow-x: auto;
        white-space: pre-wrap; }
      """;

  private final DemoReport report;

  ReportHtml(DemoReport report) {
    this.report = report;
  }

  String render() {
    StringBuilder page = new StringBuilder();
    begin(page, title());
    head(page);
    cards(page);
    timeline(page);
    latency(page);
    ownership(page);
    checks(page, report.checks());
    connections(page);
    return page.append("</body>\n</html>\n").toString();
  }

  /** All before a page's first heading. */
  static void begin(StringBuilder page, String title) {
    page.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .append(Svg.escape(title))
        .append("</title>\n<style>\n")
        .append(STYLE)
        .append("</style>\n</head>\n<body>\n");
  }

  private String title() {
    return switch (report.outcome()) {
      case COMPLETED -> "Upgraded from " + report.from() + " to " + report.to();
      case ROLLED_BACK -> "Rolled back to " + report.from();
      case REHEARSED -> "Rehearsed from " + report.from() + " to " + report.to();
      case REFUSED -> "Refused to upgrade from " + report.from() + " to " + report.to();
      case FAILED -> "Failed to upgrade from " + report.from() + " to " + report.to();
    };
  }

  private void head(StringBuilder page) {
    page.append("<h1>")
        .append(Svg.escape(title()))
        .append("</h1>\n<p class=\"soft\">")
        .append(Svg.escape(report.started()))
        .append(" · QEMU with ")
        .append(Svg.escape(report.setting().accelerator()))
        .append(" · ")
        .append(report.setting().cpus().size())
        .append(" CPUs · ")
        .append(bytes(report.setting().memory()))
        .append(" · ")
        .append(Svg.duration(report.durationMs()))
        .append("</p>\n");
    if (report.fault() != null) {
      page.append("<p>Fault asked for: <b>")
          .append(Svg.escape(report.fault()))
          .append("</b>. Kernel A must serve on as if nothing had been.</p>\n");
    }
    if (report.failure() != null) {
      page.append("<pre>").append(Svg.escape(report.failure())).append("</pre>\n");
    }
  }

  private void cards(StringBuilder page) {
    DemoReport.Service service = report.service();
    page.append("<div class=\"cards\">\n");
    card(page, Svg.duration(service.gapMs()), "longest gap of any connection");
    card(
        page,
        service.connectionsOpen() + " of " + report.connections().size(),
        "connections kept, " + service.connectionsReset() + " reset");
    card(
        page,
        String.format(Locale.ROOT, "%,d", service.writesAcknowledged()),
        "writes acknowledged");
    card(
        page,
        service.writesLost() + " / " + service.writesDuplicated(),
        "writes lost / applied twice");
    DemoReport.Wire wire = report.wire();
    if (wire != null) {
      card(
          page,
          wire.retransmissionsInSwitch() + " / " + wire.resets(),
          "segments retransmitted in the switch / resets");
    }
    page.append("</div>\n");
  }

  static void card(StringBuilder page, String figure, String caption) {
    page.append("<div class=\"card\"><b>")
        .append(Svg.escape(figure))
        .append("</b><span>")
        .append(Svg.escape(caption))
        .append("</span></div>\n");
  }

  private void timeline(StringBuilder page) {
    page.append(
        "<h2>Timeline</h2>\n<p class=\"soft\">Time since the upgrade was asked for. <span style=\"color:var(--a)\">blue</span>: kernel A works, clients are served; <span style=\"color:var(--hot)\">red</span>: the gap; <span style=\"color:var(--b)\">green</span>: kernel B works.</p>\n");
    List<Bars.Bar> bars = new ArrayList<>();
    for (DemoReport.Phase phase : report.phases()) {
      bars.add(new Bars.Bar(phase.name(), colour(phase), phase.fromMs(), phase.ms()));
    }
    page.append(Bars.render("phases", bars));
    if (!report.trace().isEmpty()) {
      page.append(
          "<h2>Inside the gap</h2>\n<p class=\"soft\">The brokers' own trace, by one clock that both kernels read.</p>\n");
      List<Bars.Bar> steps =
          report.trace().stream()
              .map(
                  s ->
                      new Bars.Bar(
                          s.side() + " " + s.name(),
                          s.side().equals("B") ? "kernel-b" : "kernel-a",
                          s.fromMs(),
                          s.ms()))
              .toList();
      page.append(Bars.render("critical section", steps));
    }
  }

  private static String colour(DemoReport.Phase phase) {
    return switch (phase.name()) {
      case "freeze", "switch", "resume" -> "gap";
      case "absorb", "complete" -> "kernel-b";
      case "rollback" -> "undo";
      default -> "kernel-a";
    };
  }

  private void latency(StringBuilder page) {
    page.append("<h2>What the clients saw</h2>\n");
    if (!report.series().isEmpty()) {
      page.append(
          "<p class=\"soft\">Latency of each request on a logarithmic scale: the line is the median, a dot the worst of a stretch of time.</p>\n");
      page.append(new LatencyPlot(report.series(), report.phases()).render());
    }
    page.append(
        "<table><tr><th>part</th><th class=\"n\">answers</th><th class=\"n\">median</th><th class=\"n\">99 %</th><th class=\"n\">worst</th><th class=\"n\">longest gap</th></tr>\n");
    for (DemoReport.Latency part : report.latency()) {
      row(
          page,
          part.part(),
          Long.toString(part.answers()),
          Svg.duration(part.p50Ms()),
          Svg.duration(part.p99Ms()),
          Svg.duration(part.maxMs()),
          Svg.duration(part.gapMs()));
    }
    page.append("</table>\n");
  }

  private void ownership(StringBuilder page) {
    page.append(
        "<h2>Who owns what</h2>\n<table><tr><th>when</th><th>kernel</th><th>CPUs</th><th>RAM</th><th>NIC</th><th>console</th><th>Redis</th></tr>\n");
    owners(page, "before", report.before());
    owners(page, "after", report.after());
    page.append("</table>\n");
  }

  private static void owners(StringBuilder page, String when, DemoReport.Ownership owners) {
    owner(page, when, owners.a(), "A", owners.parkedCpu());
    owner(page, when, owners.b(), "B", null);
  }

  private static void owner(
      StringBuilder page,
      String when,
      DemoReport.@Nullable KernelFacts facts,
      String side,
      @Nullable Integer parkedCpu) {
    if (facts == null) {
      page.append("<tr><td>")
          .append(when)
          .append("</td><td>")
          .append(side)
          .append(
              "</td><td colspan=\"5\" class=\"soft\">nothing"
                  + (parkedCpu == null ? "" : " but CPU " + parkedCpu + ", on which it is parked")
                  + "</td></tr>\n");
      return;
    }
    page.append("<tr><td>")
        .append(when)
        .append("</td><td>")
        .append(side)
        .append(": ")
        .append(Svg.escape(facts.release()))
        .append("</td><td>")
        .append(facts.cpus().stream().map(String::valueOf).collect(Collectors.joining(", ")))
        .append("</td><td>")
        .append(bytes(facts.ramBytes()))
        .append("</td><td>")
        .append(Svg.escape(String.join(", ", facts.nics())))
        .append("</td><td>")
        .append(Svg.escape(facts.console()))
        .append("</td><td>")
        .append(facts.redisPid() == 0 ? "" : "pid " + facts.redisPid())
        .append("</td></tr>\n");
  }

  static void checks(StringBuilder page, Map<String, DemoReport.Check> checks) {
    page.append("<h2>Promises</h2>\n<table><tr><th></th><th>promise</th><th>seen</th></tr>\n");
    checks.forEach(
        (name, check) ->
            page.append("<tr><td class=\"")
                .append(check.ok() ? "ok\">kept" : "bad\">broken")
                .append("</td><td>")
                .append(Svg.escape(name))
                .append("</td><td>")
                .append(Svg.escape(check.reason()))
                .append("</td></tr>\n"));
    page.append("</table>\n");
  }

  private void connections(StringBuilder page) {
    page.append(
        "<h2>Connections</h2>\n<table><tr><th>number</th><th class=\"n\">longest gap</th><th class=\"n\">writes acknowledged</th><th class=\"n\">ended</th></tr>\n");
    for (DemoReport.Connection connection : report.connections()) {
      row(
          page,
          Integer.toString(connection.number()),
          Svg.duration(connection.gapMs()),
          Long.toString(connection.acknowledged()),
          connection.ended());
    }
    page.append("</table>\n");
  }

  static void row(StringBuilder page, String first, String... numbers) {
    page.append("<tr><td>").append(Svg.escape(first)).append("</td>");
    for (String number : numbers) {
      page.append("<td class=\"n\">").append(Svg.escape(number)).append("</td>");
    }
    page.append("</tr>\n");
  }

  private static String bytes(long bytes) {
    return String.format(Locale.ROOT, "%,d MiB", bytes >> 20);
  }
}
