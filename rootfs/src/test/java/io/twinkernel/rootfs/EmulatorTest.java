package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmulatorTest {
  @TempDir private Path folder;

  private Path program(String name, String script) throws IOException {
    Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + script + "\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Emulator prepare(String choice) throws Exception {
    return Emulator.prepare(
        Map.of(Emulator.CHOICE, choice), ImageCache.at(folder.resolve("cache")), Progress.silent());
  }

  @Test
  void isTheOneThatWasChosenAsItIs() throws Exception {
    Path own = program("own", "echo 'QEMU emulator version 9.8.7 (by hand)'");

    Emulator emulator = prepare(own.toString());

    assertThat(emulator.startLine()).containsExactly(own.toString());
    assertThat(emulator.version()).isEqualTo("9.8.7");
    assertThat(folder.resolve("cache/apt")).doesNotExist();
  }

  @Test
  void isAnotherOnceItsFileIs() throws Exception {
    Path own = program("own", "echo QEMU emulator version 1.0");
    String before = prepare(own.toString()).identity();
    assertThat(prepare(own.toString()).identity()).isEqualTo(before);

    program("own", "echo QEMU emulator version 1.0 again");
    assertThat(prepare(own.toString()).identity()).isNotEqualTo(before);
  }

  @Test
  void refusesAChoiceThatDoesNotRun() throws Exception {
    Path missing = folder.resolve("missing");
    Path broken = program("broken", "echo no such library >&2; exit 127");
    Path other = program("other", "echo Bochs 2.7");
    for (Path choice : List.of(missing, folder, broken, other)) {
      assertThatThrownBy(() -> prepare(choice.toString()))
          .isInstanceOfSatisfying(
              RootfsException.class,
              refusal -> assertThat(refusal.code()).isEqualTo(RootfsException.Code.EMULATOR))
          .hasMessageContaining(choice.toString())
          .hasMessageContaining("TWIN_QEMU");
    }
    assertThatThrownBy(() -> prepare(broken.toString())).hasMessageContaining("no such library");
  }

  @Test
  void nothingIsChosenByAnEmptyWord() {
    assertThat(Emulator.chosen(Map.of())).isEmpty();
    assertThat(Emulator.chosen(Map.of(Emulator.CHOICE, ""))).isEmpty();
    assertThat(Emulator.chosen(Map.of(Emulator.CHOICE, "/q"))).contains(Path.of("/q"));
  }

  @Test
  void theFetchedOneStartsByItsOwnLoaderWithItsOwnFirmware() {
    assertThat(EmulatorPackages.startLine(Path.of("/c")))
        .containsExactly(
            "/c/lib/ld-linux-x86-64.so.2",
            "--inhibit-cache",
            "--library-path",
            "/c/lib",
            "/c/qemu-system-x86_64",
            "-L",
            "/c/firmware");
  }
}
