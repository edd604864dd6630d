package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import java.util.Map;

/** What was measured of the link, for people. */
final class LinkTable {

  private static final Map<String, String> WAYS =
      Map.of("doorbell", "link, doorbell", "polling", "link, polling", "tcp", "TCP, virtual NICs");

  private LinkTable() {}

  static String of(String accelerator, JsonNode figures) {
    var text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%nA to B and back, us, accelerator %s%n%-20s %10s %8s %10s %10s %10s%n",
            accelerator,
            "",
            "payload",
            "samples",
            "median",
            "90 %",
            "99 %"));
    for (var way : figures.properties()) {
      for (JsonNode one : way.getValue().path("round_trips")) {
        text.append(
            String.format(
                Locale.ROOT,
                "%-20s %10d %8d %10.1f %10.1f %10.1f%n",
                WAYS.getOrDefault(way.getKey(), way.getKey()),
                one.path("payload_bytes").asLong(),
                one.path("samples").asLong(),
                one.path("median_us").asDouble(),
                one.path("p90_us").asDouble(),
                one.path("p99_us").asDouble()));
      }
    }
    text.append(
        String.format(Locale.ROOT, "%nA to B%n%-20s %10s %8s %10s%n", "", "record", "MB", "MB/s"));
    for (var way : figures.properties()) {
      for (JsonNode one : way.getValue().path("one_way")) {
        text.append(
            String.format(
                Locale.ROOT,
                "%-20s %10d %8.0f %10.1f%n",
                WAYS.getOrDefault(way.getKey(), way.getKey()),
                one.path("record_bytes").asLong(),
                one.path("bytes").asDouble() / 1e6,
                one.path("mb_per_s").asDouble()));
      }
    }
    return text.toString();
  }
}
