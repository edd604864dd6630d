package io.twinkernel.harness.report;

import java.util.List;

/** Bars over a time axis, one a row: the timeline of the phases, or of the critical section. */
final class Bars {

  /** One bar: its label, what colour class it has, and when it was, in ms. */
  record Bar(String label, String css, double from, double length) {}

  private static final double WIDTH = 960;
  private static final double LEFT = 150;
  private static final double RIGHT = 90;
  private static final double ROW = 26;

  private Bars() {}

  static String render(String label, List<Bar> bars) {
    double from = bars.stream().mapToDouble(Bar::from).min().orElse(0);
    double to = bars.stream().mapToDouble(bar -> bar.from() + bar.length()).max().orElse(1);
    double span = Math.max(to - from, 1e-3);
    double scale = (WIDTH - LEFT - RIGHT) / span;
    double height = bars.size() * ROW + 30;
    StringBuilder svg = new StringBuilder();
    svg.append("<svg role=\"img\" aria-label=\"")
        .append(Svg.escape(label))
        .append("\" viewBox=\"0 0 ")
        .append(WIDTH)
        .append(' ')
        .append(height)
        .append("\">\n");
    double tick = Svg.tick(span);
    for (double at = Math.ceil(from / tick) * tick; at <= to; at += tick) {
      double x = LEFT + (at - from) * scale;
      svg.append(Svg.line("grid", x, 4, x, height - 24));
      svg.append(Svg.text("axis", x, height - 8, "middle", Svg.mark(at))).append('\n');
    }
    for (int i = 0; i < bars.size(); i++) {
      Bar bar = bars.get(i);
      double y = 6 + i * ROW;
      double x = LEFT + (bar.from() - from) * scale;
      double width = Math.max(2, bar.length() * scale);
      String length = Svg.duration(bar.length());
      svg.append(Svg.text("label", LEFT - 10, y + 14, "end", bar.label()));
      svg.append(Svg.rect(bar.css(), x, y, width, ROW - 8, bar.label() + ": " + length));
      svg.append(Svg.text("value", x + width + 6, y + 14, "start", length)).append('\n');
    }
    return svg.append("</svg>\n").toString();
  }
}
