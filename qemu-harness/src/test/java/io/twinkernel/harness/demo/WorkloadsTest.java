package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Much that can move, at once: nginx with keep-alive clients, a container with others, a JVM, a
 * Redis that writes all the time with its replica, a shell on a terminal, and a process with one of
 * everything.
 */
@Tag("machine")
final class WorkloadsTest {
  @TempDir Path out;

  @Test
  void moveWithTheirData() throws Exception {
    try (DemoProcess demo =
        DemoProcess.brief(out, "--workloads", "--megabytes", "8", "--connections", "4")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      JsonNode report = demo.report();
      JsonNode workloads = report.path("checks").path("every workload's data is right");
      assertThat(workloads.path("ok").asBoolean()).as(workloads.toString()).isTrue();
      assertThat(report.path("outcome").asText()).isEqualTo("completed");
    }
  }
}
