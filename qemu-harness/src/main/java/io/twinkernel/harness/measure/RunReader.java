package io.twinkernel.harness.measure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.harness.report.DemoReport;
import io.twinkernel.harness.report.MeasureReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Takes from one run's report.json what is compared between runs. */
final class RunReader {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Parts that overlap others. */
  private static final List<String> WHOLE = List.of("all");

  private static final List<String> CRITICAL = List.of("freeze", "switch", "resume");

  private RunReader() {}

  static MeasureReport.Run read(int number, Path report) throws IOException {
    return of(number, JSON.readTree(report.toFile()));
  }

  static MeasureReport.Run of(int number, JsonNode report) throws IOException {
    if (!report.path("gap_ms").isNumber() || !report.path("checks").isObject()) {
      throw new IOException("run " + number + " left no report of an upgrade");
    }
    List<String> broken = new ArrayList<>();
    report
        .path("checks")
        .properties()
        .forEach(
            check -> {
              if (!check.getValue().path("ok").asBoolean()) {
                broken.add(check.getKey() + ": " + check.getValue().path("reason").asText());
              }
            });
    Map<String, Double> parts = new LinkedHashMap<>();
    for (JsonNode part : report.path("latency")) {
      if (!WHOLE.contains(part.path("part").asText())) {
        parts.put(part.path("part").asText(), part.path("gap_ms").asDouble());
      }
    }
    double gap = report.path("gap_ms").asDouble();
    double at = report.path("gap_at_ms").asDouble();
    return new MeasureReport.Run(
        number,
        broken.isEmpty(),
        broken,
        gap,
        at,
        phaseOf(report.path("phases"), at, at + gap),
        parts,
        steps(report),
        report.path("wire").isObject()
            ? JSON.treeToValue(report.path("wire"), DemoReport.Wire.class)
            : null);
  }

  private static Map<String, Double> steps(JsonNode report) {
    Map<String, Double> steps = new LinkedHashMap<>();
    for (JsonNode phase : report.path("phases")) {
      if (CRITICAL.contains(phase.path("name").asText())) {
        steps.put("phase " + phase.path("name").asText(), phase.path("ms").asDouble());
      }
    }
    for (JsonNode step : report.path("trace")) {
      String name = step.path("side").asText() + " " + step.path("name").asText();
      steps.merge(name, step.path("ms").asDouble(), Double::sum);
    }
    return steps;
  }

  /** The phase that shares the most time with a stretch; "before" where none does. */
  static String phaseOf(JsonNode phases, double from, double to) {
    String found = from < 0 ? "before" : "between phases";
    double most = 0;
    for (JsonNode phase : phases) {
      double start = phase.path("from_ms").asDouble();
      double end = start + phase.path("ms").asDouble();
      double shared = Math.min(to, end) - Math.max(from, start);
      if (shared > most) {
        most = shared;
        found = phase.path("name").asText();
      }
    }
    return found;
  }
}
