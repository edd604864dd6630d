package io.twinkernel.harness.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.rootfs.Emulator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AcceleratorProbeTest {

  @TempDir Path directory;

  /** Under the translator, which always works, the probe's guest must end as it should. */
  @Test
  void theTinyGuestRuns() throws Exception {
    assertThat(new AcceleratorProbe(directory, TestEmulator.get()).runsTinyGuest("tcg")).isEmpty();
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void aGuestThatHangsIsNoneThatRuns() throws Exception {
    Path kernel = Files.createFile(directory.resolve("kernel"));
    assertThat(new AcceleratorProbe(directory, TestEmulator.get()).runsKernel("tcg", kernel, 20))
        .hasValueSatisfying(why -> assertThat(why).contains("tcg"));
  }

  @Test
  void whatWasFoundIsKeptForTheSameKernel() throws Exception {
    Path kernel = Files.writeString(directory.resolve("kernel"), "no kernel");
    Path memory = directory.resolve("memory");
    AcceleratorProbe probe = new AcceleratorProbe(directory, TestEmulator.get());
    AcceleratorProbe.Found found = probe.find(kernel, "6.1", memory);
    assertThat(found.accelerator()).isEqualTo(Accelerator.TCG);
    assertThat(Files.readAllLines(memory)).hasSize(3);
    Files.writeString(memory, Files.readString(memory).replace(found.why(), "as before"));
    assertThat(probe.find(kernel, "6.1", memory).why()).isEqualTo("as before");
    assertThat(probe.find(kernel, "6.12", memory).why()).isNotEqualTo("as before");
  }

  @Test
  void whatWasFoundIsNotKeptForAnotherQemu() throws Exception {
    Path kernel = Files.writeString(directory.resolve("kernel"), "no kernel");
    Path memory = directory.resolve("memory");
    Emulator emulator = TestEmulator.get();
    AcceleratorProbe.Found found =
        new AcceleratorProbe(directory, emulator).find(kernel, "6.1", memory);
    Files.writeString(memory, Files.readString(memory).replace(found.why(), "as before"));
    Emulator other = new Emulator(emulator.startLine(), emulator.version(), "other");
    assertThat(new AcceleratorProbe(directory, other).find(kernel, "6.1", memory).why())
        .isNotEqualTo("as before");
  }
}
