package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that connect, ask, and leave all the time, of a service whose memory grows. */
@Tag("machine")
final class VisitorsTest {

  private static final String[] LOAD = {
    "--visitors", "6", "--growth", "1", "--megabytes", "16", "--connections", "4"
  };

  @TempDir Path out;

  @Test
  void areServedByBothKernels() throws Exception {
    assertThat(run("--chain", "2"))
        .contains("upgrade is complete")
        .doesNotContain("goes over by a full dump");
  }

  @Test
  void areServedWhereTheNicItselfGoesOver() throws Exception {
    assertThat(run("--one-nic")).doesNotContain("goes over by a full dump");
  }

  @Test
  void areServedOnWhereItFails() throws Exception {
    run("--fault", "restore-fails");
  }

  /** All that is promised is kept, of each client and each value. */
  private String run(String... more) throws Exception {
    String[] options =
        java.util.stream.Stream.of(LOAD, more)
            .flatMap(java.util.Arrays::stream)
            .toArray(String[]::new);
    try (DemoProcess demo = DemoProcess.brief(out, options)) {
      assertThat(demo.exitCode()).as(demo.output()).isZero();
      assertThat(demo.report().path("connections_open").asInt()).isEqualTo(11);
      return demo.output();
    }
  }
}
