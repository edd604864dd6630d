package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.report.ReportFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * 6.1 to 6.12, back, and there again, in one life of a machine: each kernel starts the next one in
 * the memory that the one before it left.
 */
@Tag("machine")
final class ChainTest {

  @TempDir Path out;

  @Test
  void threeUpgradesInOneLife() throws Exception {
    try (DemoProcess demo = DemoProcess.brief(out, "--chain", "3", "--megabytes", "16")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
    }
    JsonNode report =
        new com.fasterxml.jackson.databind.ObjectMapper()
            .readTree(out.resolve("report.json").toFile());
    assertThat(ReportFiles.faults(Files.readString(out.resolve("report.json")))).isEmpty();
    assertThat(report.path("outcome").asText()).isEqualTo("completed");
    String from = report.path("from").asText();
    String to = report.path("to").asText();
    assertThat(report.path("further"))
        .extracting(next -> next.path("from").asText() + " " + next.path("to").asText())
        .containsExactly(to + " " + from, from + " " + to);
    for (JsonNode next : report.path("further")) {
      assertThat(next.path("state").asText()).isEqualTo("COMPLETE");
      assertThat(next.path("gap_ms").asDouble()).isPositive();
      JsonNode after = next.path("after");
      assertThat(after.path("cpus")).hasSize(report.path("cpus").size());
      assertThat(after.path("redis_pid").asLong())
          .isEqualTo(report.path("before").path("a").path("redis_pid").asLong());
    }
    assertThat(consoles())
        .as("also what came from another kernel runs on while its copy is made")
        .doesNotContain("the processes stop to be dumped")
        .doesNotContain("no copy can wait");
    assertThat(report.path("connections_open").asInt()).isEqualTo(8);
    assertThat(report.path("connections_reset").asInt()).isZero();
    assertThat(report.path("writes_acknowledged").asLong()).isPositive();
    assertThat(report.path("writes_lost").asLong()).isZero();
    assertThat(report.path("writes_duplicated").asLong()).isZero();
  }

  private String consoles() throws Exception {
    var said = new StringBuilder();
    try (var logs = Files.newDirectoryStream(out, "console-*.log")) {
      for (Path log : logs) {
        said.append(Files.readString(log));
      }
    }
    return said.toString();
  }
}
