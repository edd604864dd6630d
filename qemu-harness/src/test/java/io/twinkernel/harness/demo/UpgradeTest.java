package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.report.ReportFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One whole upgrade, while a monitoring client that is neither of this project nor of this language
 * follows it over the event bus bridge.
 */
@Tag("machine")
final class UpgradeTest {

  @TempDir Path out;

  @Test
  void movesTheServiceAndTellsOthers() throws Exception {
    try (DemoProcess demo = DemoProcess.start(out);
        MonitorContainer monitor = MonitorContainer.start(demo.bridgePort())) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      kept(demo.report());
      assertThat(ReportFiles.faults(Files.readString(out.resolve("report.json")))).isEmpty();
      assertThat(out.resolve("report.html")).exists();

      List<JsonNode> journal = demo.journal();
      assertThat(journal).isNotEmpty();
      assertThat(journal)
          .extracting(event -> event.path("sequence").asInt())
          .containsExactlyElementsOf(
              java.util.stream.IntStream.rangeClosed(1, journal.size()).boxed().toList());
      assertThat(monitor.events()).containsExactlyElementsOf(journal);
    }
  }

  private static void kept(JsonNode report) {
    assertThat(report.path("outcome").asText()).isEqualTo("completed");
    assertThat(report.path("connections_open").asInt()).isEqualTo(8);
    assertThat(report.path("connections_reset").asInt()).isZero();
    assertThat(report.path("writes_acknowledged").asLong()).isPositive();
    assertThat(report.path("writes_lost").asLong()).isZero();
    assertThat(report.path("writes_duplicated").asLong()).isZero();
    assertThat(report.path("gap_ms").asDouble()).isPositive();
    assertThat(report.path("after").path("serving").asText()).isEqualTo(report.path("to").asText());
    assertThat(report.path("after").path("b").path("cpus")).hasSize(4);
    assertThat(report.path("phases"))
        .extracting(phase -> phase.path("name").asText())
        .contains("plan", "prepare", "boot", "precopy", "switch", "absorb");
    report
        .path("checks")
        .properties()
        .forEach(
            check ->
                assertThat(check.getValue().path("ok").asBoolean()).as(check.toString()).isTrue());
  }
}
