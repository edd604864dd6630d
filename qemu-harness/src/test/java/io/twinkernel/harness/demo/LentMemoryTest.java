package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A service that does not fit into the crash region: A lends B memory. That it comes back where the
 * switch fails is looked at in {@link FaultTest}.
 */
@Tag("machine")
final class LentMemoryTest {

  @TempDir Path out;

  @Test
  void aServiceThatIsLargerThanTheCrashRegionGoesOver() throws Exception {
    try (DemoProcess demo = DemoProcess.brief(out, "--megabytes", "128", "--rewrite", "1")) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      assertThat(demo.lentBytes()).isPositive();
      JsonNode report = demo.report();
      assertThat(report.path("outcome").asText()).isEqualTo("completed");
      assertThat(report.path("writes_lost").asLong()).isZero();
      assertThat(report.path("values_wrong").asLong()).isZero();
    }
  }
}
