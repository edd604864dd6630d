package io.twinkernel.control.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The control plane's answers as text for people. */
final class Text {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

  private Text() {}

  static String event(JsonNode event) {
    String kernel = event.path("kernel").asText();
    return "%4d  %s  %-8s  %-8s  %-24s  %s"
        .formatted(
            event.path("sequence").asLong(),
            TIME.format(Instant.ofEpochMilli(event.path("at_ms").asLong())),
            event.path("phase").asText(),
            event.path("status").asText(),
            kernel.isEmpty() ? "-" : printable(kernel),
            printable(event.path("message").asText()));
  }

  static String upgrade(JsonNode upgrade) {
    var text = new StringBuilder();
    line(text, "upgrade", upgrade.path("id").asText());
    line(text, "node", upgrade.path("node").asText());
    line(text, "state", upgrade.path("state").asText() + waiting(upgrade));
    line(text, "owner", upgrade.path("owner").asText());
    line(text, "phase", upgrade.path("phase").asText());
    line(text, "kernel", upgrade.path("kernel").asText());
    line(text, "image", upgrade.path("image").asText());
    line(text, "updated", date(upgrade.path("updated_ms")));
    JsonNode failure = upgrade.path("failure");
    if (failure.isObject()) {
      line(
          text,
          "failure",
          "%s: %s [%s]"
              .formatted(
                  failure.path("what").asText(),
                  failure.path("why").asText(),
                  failure.path("code").asText()));
      line(text, "to do", failure.path("todo").asText());
    }
    for (JsonNode refusal : upgrade.path("plan").path("refusals")) {
      if (!refusal.path("code").equals(failure.path("code"))) {
        line(
            text,
            "also",
            "%s: %s [%s]; %s"
                .formatted(
                    refusal.path("what").asText(),
                    refusal.path("why").asText(),
                    refusal.path("code").asText(),
                    refusal.path("todo").asText()));
      }
    }
    return text.toString().stripTrailing();
  }

  private static String waiting(JsonNode upgrade) {
    return upgrade.path("waiting").asBoolean()
        ? " (waits: twinctl continue " + upgrade.path("id").asText() + ")"
        : "";
  }

  private static void line(StringBuilder text, String name, String value) {
    if (!value.isEmpty()) {
      text.append("%-9s%s%n".formatted(name, printable(value)));
    }
  }

  static String history(Iterable<JsonNode> upgrades) {
    var rows = new ArrayList<List<String>>();
    rows.add(List.of("ID", "NODE", "STARTED", "STATE", "KERNEL", "FAILURE"));
    for (JsonNode upgrade : upgrades) {
      rows.add(
          List.of(
              upgrade.path("id").asText(),
              upgrade.path("node").asText(),
              date(upgrade.path("created_ms")),
              upgrade.path("state").asText(),
              upgrade.path("kernel").asText(),
              upgrade.path("failure").path("code").asText()));
    }
    return table(rows);
  }

  static String nodes(JsonNode nodes) {
    var rows = new ArrayList<List<String>>();
    rows.add(List.of("NODE", "BROKERS", "UPGRADE"));
    for (JsonNode node : nodes) {
      var brokers = new ArrayList<String>();
      for (JsonNode broker : node.path("brokers")) {
        brokers.add(broker.path("role").asText() + " " + broker.path("kernel").asText());
      }
      rows.add(
          List.of(
              node.path("node").asText(),
              brokers.isEmpty() ? "none connected" : String.join(", ", brokers),
              node.path("upgrade").asText()));
    }
    return table(rows);
  }

  private static String date(JsonNode millis) {
    return DATE.format(Instant.ofEpochMilli(millis.asLong()));
  }

  private static String table(List<List<String>> rows) {
    int columns = rows.getFirst().size();
    int[] widths =
        IntStream.range(0, columns)
            .map(column -> rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0))
            .toArray();
    var text = new StringBuilder();
    for (List<String> row : rows) {
      var line = new StringBuilder();
      for (int column = 0; column < columns; column++) {
        line.append(row.get(column)).repeat(" ", widths[column] - row.get(column).length() + 2);
      }
      text.append(printable(line.toString().stripTrailing())).append(System.lineSeparator());
    }
    return text.toString().stripTrailing();
  }

  /** What nodes say must not steer the terminal. */
  private static String printable(String text) {
    var safe = new StringBuilder();
    text.codePoints()
        .map(point -> Character.isISOControl(point) ? ' ' : point)
        .forEach(safe::appendCodePoint);
    return safe.toString();
  }
}
