package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
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
    assertThat(dumped(move("--workloads")))
        .anyMatch(line -> line.contains("it is in a container"))
        .hasSizeBetween(3, 4);
  }

  /** Trees of several processes among them, with memory that they share and never stop to write. */
  @Test
  void waitAsCopies() throws Exception {
    assertThat(dumped(move("--workloads=WAITING"))).hasSizeLessThan(2);
  }

  /**
   * Of which trees no copy waited. On a busy host one may change each time that it is looked at,
   * and is among them.
   */
  private static List<String> dumped(String output) {
    return output.lines().filter(line -> line.contains("goes over by a full dump")).toList();
  }

  private String move(String workloads) throws Exception {
    try (DemoProcess demo =
        DemoProcess.brief(out, workloads, "--megabytes", "8", "--connections", "4")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      JsonNode report = demo.report();
      JsonNode check = report.path("checks").path("every workload's data is right");
      assertThat(check.path("ok").asBoolean()).as(check.toString()).isTrue();
      assertThat(report.path("outcome").asText()).isEqualTo("completed");
      return demo.output();
    }
  }
}
