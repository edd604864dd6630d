package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service's NIC itself goes over, where the second kernel has none in its network. */
@Tag("machine")
final class OneNicTest {

  @TempDir Path out;

  @Test
  void thereAndBackAgain() throws Exception {
    try (DemoProcess demo =
        DemoProcess.brief(out, "--one-nic", "--chain", "2", "--megabytes", "16")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      JsonNode report = demo.report();
      assertThat(report.path("outcome").asText()).isEqualTo("completed");
      assertThat(report.path("trace"))
          .extracting(step -> step.path("name").asText())
          .contains("nic-release", "nic-bind")
          .doesNotContain("nic-hold", "port-open");
      assertThat(report.path("further")).hasSize(1);
      assertThat(report.path("connections_reset").asInt()).isZero();
      assertThat(report.path("writes_lost").asLong()).isZero();
    }
  }

  @Test
  void whereItFailsTheFirstKernelHasItBack() throws Exception {
    try (DemoProcess demo =
        DemoProcess.brief(
            out,
            "--one-nic",
            "--fault",
            "restore-fails",
            "--megabytes",
            "8",
            "--connections",
            "4")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      assertThat(demo.report().path("outcome").asText()).isEqualTo("rolled-back");
      assertThat(demo.report().path("connections_open").asInt()).isEqualTo(4);
      assertThat(demo.report().path("writes_lost").asLong()).isZero();
    }
  }
}
