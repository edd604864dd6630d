package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Whole upgrades between other kernels than the usual two: the oldest as A, the newest as B and as
 * A, the same on both sides. Back again is what {@link ChainTest} goes.
 */
@Tag("machine")
final class KernelPairTest {

  @TempDir Path out;

  @ParameterizedTest(name = "{0} to {1}")
  @CsvSource({"5.10, 6.12", "6.12, 7.2", "7.2, 7.2"})
  void movesTheService(String from, String to) throws Exception {
    try (DemoProcess demo =
        DemoProcess.brief(
            out, "--from", from, "--to", to, "--megabytes", "8", "--connections", "2")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      JsonNode report = demo.report();
      assertThat(report.path("outcome").asText()).isEqualTo("completed");
      assertThat(report.path("from").asText()).startsWith(from + ".");
      assertThat(report.path("after").path("serving").asText()).startsWith(to + ".");
      assertThat(report.path("connections_open").asInt()).isEqualTo(2);
      assertThat(report.path("writes_acknowledged").asLong()).isPositive();
      assertThat(report.path("writes_lost").asLong()).isZero();
    }
  }
}
