package io.twinkernel.harness.report;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** Small pieces of SVG and HTML. Colours come from the page's style sheet, by class. */
public final class Svg {

  private Svg() {}

  static String rect(String css, double x, double y, double width, double height, String title) {
    return String.format(
        Locale.ROOT,
        "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\"><title>%s</title></rect>",
        css,
        x,
        y,
        width,
        height,
        escape(title));
  }

  static String line(String css, double x1, double y1, double x2, double y2) {
    return String.format(
        Locale.ROOT,
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
        css,
        x1,
        y1,
        x2,
        y2);
  }

  static String text(String css, double x, double y, String anchor, String text) {
    return String.format(
        Locale.ROOT,
        "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
        css,
        x,
        y,
        anchor,
        escape(text));
  }

  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  /** A duration as people read it: "0.84 ms", "12 ms", "3.4 s". */
  public static String duration(double millis) {
    double size = Math.abs(millis);
    if (size >= 1000) {
      return String.format(Locale.ROOT, "%.2f s", millis / 1000);
    }
    return String.format(Locale.ROOT, size >= 10 ? "%.0f ms" : "%.2f ms", millis);
  }

  /** A mark on an axis: a duration without needless digits. */
  static String mark(double millis) {
    boolean seconds = Math.abs(millis) >= 1000;
    BigDecimal value =
        BigDecimal.valueOf(seconds ? millis / 1000 : millis)
            .setScale(3, RoundingMode.HALF_UP)
            .stripTrailingZeros();
    return value.signum() == 0 ? "0" : value.toPlainString() + (seconds ? " s" : " ms");
  }

  /** A round number of milliseconds that cuts a span into at most ten. */
  static double tick(double span) {
    double tick = Math.pow(10, Math.floor(Math.log10(Math.max(span, 1e-3) / 10)));
    for (double factor : new double[] {1, 2, 5, 10}) {
      if (span / (tick * factor) <= 10) {
        return tick * factor;
      }
    }
    return tick * 20;
  }
}
