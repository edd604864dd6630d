package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What goes wrong before the commit point costs nobody a connection or a write. */
@Tag("machine")
final class FaultTest {

  /** For what a kernel takes of its memory meanwhile, bytes: less than a block. */
  private static final long ALLOWANCE = 16 << 20;

  @TempDir Path out;

  static List<Fault> faults() {
    return Fault.named();
  }

  @ParameterizedTest
  @MethodSource("faults")
  void theFirstKernelServesOn(Fault fault) throws Exception {
    // Where the switch itself fails, with memory that was lent to B and has to come back.
    boolean lends = fault.equals(Fault.RESTORE_FAILS);
    String data = lends ? "128" : "16";
    try (DemoProcess demo = DemoProcess.brief(out, "--fault", fault.label(), "--megabytes", data)) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      JsonNode report = demo.report();
      assertThat(report.path("outcome").asText()).isEqualTo("rolled-back");
      assertThat(report.path("fault").asText()).isEqualTo(fault.label());
      assertThat(report.path("connections_open").asInt()).isEqualTo(8);
      assertThat(report.path("connections_reset").asInt()).isZero();
      assertThat(report.path("writes_acknowledged").asLong()).isPositive();
      assertThat(report.path("writes_lost").asLong()).isZero();
      assertThat(report.path("writes_duplicated").asLong()).isZero();
      assertThat(report.path("after").path("serving").asText())
          .isEqualTo(report.path("from").asText());
      assertThat(report.path("after").path("a").path("cpus"))
          .isEqualTo(report.path("before").path("a").path("cpus"));
      assertThat(demo.lentBytes() > 0).isEqualTo(lends);
      assertThat(report.path("after").path("a").path("memory_bytes").asLong())
          .isGreaterThan(report.path("before").path("a").path("memory_bytes").asLong() - ALLOWANCE);
    }
  }
}
