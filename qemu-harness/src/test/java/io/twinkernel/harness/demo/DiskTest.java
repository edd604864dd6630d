package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The disk that the service writes to goes over with it, or comes back with it. */
@Tag("machine")
final class DiskTest {
  private static final String PROMISE = "what was acknowledged is on the disk, which is whole";

  @TempDir Path out;

  @Test
  void goesOverInTheSwitch() throws Exception {
    try (DemoProcess demo =
        DemoProcess.brief(out, "--disk", "--megabytes", "16", "--connections", "4")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      JsonNode report = demo.report();
      assertThat(report.path("checks").path(PROMISE).path("ok").asBoolean()).isTrue();
      assertThat(report.path("outcome").asText()).isEqualTo("completed");
      // A copy waited, and was given its files.
      assertThat(begin(report, "disk-files")).isGreaterThan(end(report, "disk-mount") - 1);
      // It ran on while that was made, and wrote.
      assertThat(Files.readString(out.resolve("console-a.log")))
          .doesNotContain("the processes stop to be dumped");
      // Never mounted twice: A's driver has let go of it before B's begins.
      assertThat(begin(report, "disk-bind")).isGreaterThan(end(report, "disk-release"));
    }
  }

  @Test
  void comesBackWhereTheOtherKernelCannotRestore() throws Exception {
    try (DemoProcess demo =
        DemoProcess.brief(
            out, "--disk", "--fault", "restore-fails", "--megabytes", "16", "--connections", "4")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      JsonNode report = demo.report();
      assertThat(report.path("checks").path(PROMISE).path("ok").asBoolean()).isTrue();
      assertThat(report.path("outcome").asText()).isEqualTo("rolled-back");
    }
  }

  /** What an operator's database is: many processes, shared memory, files, connections. */
  @Test
  void postgresGoesOnWithItsDataOnIt() throws Exception {
    try (DemoProcess demo =
        DemoProcess.brief(out, "--disk", "--postgres", "--megabytes", "8", "--connections", "2")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      JsonNode checks = demo.report().path("checks");
      assertThat(checks.path(PROMISE).path("ok").asBoolean()).isTrue();
      assertThat(checks.path(PROMISE).path("reason").asText())
          .contains("postgres-recovered", "postgres-checksums");
      assertThat(checks.path("every workload's data is right").path("ok").asBoolean()).isTrue();
    }
  }

  private static double begin(JsonNode report, String step) {
    return span(report, step).path("from_ms").asDouble();
  }

  private static double end(JsonNode report, String step) {
    JsonNode span = span(report, step);
    return span.path("from_ms").asDouble() + span.path("ms").asDouble();
  }

  private static JsonNode span(JsonNode report, String step) {
    for (JsonNode span : report.path("trace")) {
      if (span.path("name").asText().equals(step)) {
        return span;
      }
    }
    throw new AssertionError("no step " + step + " in " + report.path("trace"));
  }
}
