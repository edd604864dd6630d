package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.SysFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class HugePagesTest {

  /** Needs root. */
  @Test
  @Timeout(60)
  void aStoppedProcessDoesWithoutAndStaysStopped() throws Exception {
    try (Canary canary = Canary.hatch()) {
      String status = "/proc/" + canary.pid() + "/status";
      assertThat(SysFiles.read(status)).contains("\nTHP_enabled:\t1\n");
      HugePages.forbid(canary.pid());
      assertThat(SysFiles.read(status)).contains("\nTHP_enabled:\t0\n");
      Canary.awaitStopped(canary.pid());
    }
  }
}
