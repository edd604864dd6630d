package io.twinkernel.harness.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AcceleratorTest {

  @TempDir Path directory;

  @Test
  void probesAndLeavesNothing() throws Exception {
    Accelerator.Found found = Accelerator.probe(directory);
    assertThat(found.why()).isNotBlank();
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).isEmpty();
    }
  }

  /** The probe's guest is right: under the translator, which always works, it ends as it must. */
  @Test
  void theProbeGuestRuns() throws Exception {
    assertThat(Accelerator.runs("tcg", directory)).isEmpty();
  }
}
