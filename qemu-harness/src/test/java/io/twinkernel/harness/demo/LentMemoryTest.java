package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A service larger than the crash region: A lends B memory for it. Once it goes over; once B fails
 * in the switch, and A has all of its memory again.
 */
@Tag("machine")
final class LentMemoryTest {

  @TempDir Path out;

  @Test
  void aServiceThatIsLargerThanTheCrashRegionGoesOver() throws Exception {
    JsonNode report = run();

    assertThat(report.path("outcome").asText()).isEqualTo("completed");
    assertThat(report.path("writes_lost").asLong()).isZero();
    assertThat(report.path("values_wrong").asLong()).isZero();
  }

  @Test
  void whatWasLentComesBackWhenTheSwitchFails() throws Exception {
    JsonNode report = run("--fault", "restore-fails");

    assertThat(report.path("outcome").asText()).isEqualTo("rolled-back");
    JsonNode before = report.path("before").path("a");
    JsonNode after = report.path("after").path("a");
    assertThat(after.path("memory_bytes").asLong())
        .isGreaterThan(before.path("memory_bytes").asLong() - (16 << 20));
  }

  private JsonNode run(String... fault) throws Exception {
    String[] options = {"--megabytes", "192", "--rewrite", "1"};
    String[] all = Arrays.copyOf(options, options.length + fault.length);
    System.arraycopy(fault, 0, all, options.length, fault.length);
    try (DemoProcess demo = DemoProcess.start(out, all)) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      assertThat(lent(demo)).isPositive();
      return demo.report();
    }
  }

  private static long lent(DemoProcess demo) throws Exception {
    return demo.journal().stream()
        .filter(event -> event.path("phase").asText().equals("prepare"))
        .mapToLong(event -> event.findPath("lent_bytes").asLong())
        .max()
        .orElse(0);
  }
}
