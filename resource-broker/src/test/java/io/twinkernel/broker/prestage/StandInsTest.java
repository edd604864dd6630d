package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What CRIU finds in the place of files that are not here yet. */
final class StandInsTest {
  @TempDir Path folder;

  @Test
  void standInsAreAsLargeOverwriteNothingAndGo() throws Exception {
    var file =
        new DiskFile(
            3, folder.resolve("new/deep/aof").toString(), 0, 1L << 33, 0100640, Optional.empty());
    try (var standIns = new StandIns()) {
      standIns.make(List.of(file, file), folder.resolve("new").toString(), 040700);
      assertThat((int) Files.getAttribute(folder.resolve("new"), "unix:mode")).isEqualTo(040700);
      Path path = Path.of(file.path());
      assertThat(Files.size(path)).isEqualTo(1L << 33);
      assertThat((int) Files.getAttribute(path, "unix:mode")).isEqualTo(0100640);
    }
    assertThat(Path.of(file.path())).doesNotExist();
    Path second = Files.writeString(folder.resolve("second"), "one\ntwo\n");
    var there = new DiskFile(7, second.toString(), 0, 8, 0100644, Optional.empty());
    try (var standIns = new StandIns()) {
      assertThatThrownBy(() -> standIns.make(List.of(there), "", 0))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("second");
    }
    assertThat(second).hasContent("one\ntwo\n");
  }
}
