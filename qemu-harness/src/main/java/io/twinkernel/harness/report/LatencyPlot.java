package io.twinkernel.harness.report;

import java.util.List;
import java.util.Locale;

/** The client's latency over the time of the run, on a logarithmic scale, phases behind it. */
final class LatencyPlot {

  private static final double WIDTH = 960;
  private static final double HEIGHT = 300;
  private static final double LEFT = 64;
  private static final double RIGHT = 16;
  private static final double TOP = 24;
  private static final double BOTTOM = 30;

  /** So many stretches of time without an answer are a hole in the line. */
  private static final double HOLE = 4;

  private final List<DemoReport.Point> points;
  private final List<DemoReport.Phase> phases;
  private final double from;
  private final double to;
  private final double lowest;
  private final double highest;

  LatencyPlot(List<DemoReport.Point> points, List<DemoReport.Phase> phases) {
    this.points = points;
    this.phases = phases;
    this.from = points.getFirst().atMs();
    this.to = Math.max(points.getLast().atMs(), from + 1);
    double min = points.stream().mapToDouble(DemoReport.Point::medianMs).min().orElse(1);
    double max = points.stream().mapToDouble(DemoReport.Point::maxMs).max().orElse(1);
    this.lowest = Math.floor(Math.log10(Math.max(min, 1e-2)));
    this.highest = Math.max(Math.ceil(Math.log10(Math.max(max, 1e-2))), lowest + 1);
  }

  String render() {
    StringBuilder svg = new StringBuilder();
    svg.append("<svg role=\"img\" aria-label=\"latency over time\" viewBox=\"0 0 ")
        .append(WIDTH)
        .append(' ')
        .append(HEIGHT)
        .append("\">\n");
    shadePhases(svg);
    axes(svg);
    median(svg);
    for (DemoReport.Point point : points) {
      svg.append(
          String.format(
              Locale.ROOT,
              "<circle class=\"worst\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\"><title>worst %s at %s</title></circle>",
              x(point.atMs()),
              y(point.maxMs()),
              Svg.duration(point.maxMs()),
              Svg.duration(point.atMs())));
    }
    return svg.append("\n</svg>\n").toString();
  }

  /** A line a stretch of answers: where none came there is nothing to draw. */
  private void median(StringBuilder svg) {
    double stretch = (to - from) / Math.max(1, points.size());
    double before = Double.NEGATIVE_INFINITY;
    for (DemoReport.Point point : points) {
      if (point.atMs() - before > HOLE * stretch) {
        svg.append(before < from ? "" : "\"/>\n").append("<polyline class=\"median\" points=\"");
      }
      svg.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(point.atMs()), y(point.medianMs())));
      before = point.atMs();
    }
    svg.append("\"/>\n");
  }

  private void shadePhases(StringBuilder svg) {
    boolean odd = false;
    for (DemoReport.Phase phase : phases) {
      double left = x(Math.clamp(phase.fromMs(), from, to));
      double right = x(Math.clamp(phase.fromMs() + phase.ms(), from, to));
      svg.append(
          Svg.rect(
              odd ? "band odd" : "band",
              left,
              TOP,
              Math.max(1, right - left),
              HEIGHT - TOP - BOTTOM,
              phase.name() + ": " + Svg.duration(phase.ms())));
      if (right - left > 34) {
        svg.append(Svg.text("axis", (left + right) / 2, TOP - 8, "middle", phase.name()));
      }
      odd = !odd;
    }
    svg.append('\n');
  }

  private void axes(StringBuilder svg) {
    for (double power = lowest; power <= highest; power++) {
      double y = y(Math.pow(10, power));
      svg.append(Svg.line("grid", LEFT, y, WIDTH - RIGHT, y));
      svg.append(Svg.text("axis", LEFT - 6, y + 4, "end", Svg.mark(Math.pow(10, power))));
    }
    double tick = Svg.tick(to - from);
    for (double at = Math.ceil(from / tick) * tick; at <= to; at += tick) {
      svg.append(Svg.text("axis", x(at), HEIGHT - 10, "middle", Svg.mark(at)));
    }
    svg.append('\n');
  }

  private double x(double ms) {
    return LEFT + (ms - from) / (to - from) * (WIDTH - LEFT - RIGHT);
  }

  private double y(double ms) {
    double share = (Math.log10(Math.max(ms, 1e-2)) - lowest) / (highest - lowest);
    return HEIGHT - BOTTOM - Math.clamp(share, 0, 1) * (HEIGHT - TOP - BOTTOM);
  }
}
