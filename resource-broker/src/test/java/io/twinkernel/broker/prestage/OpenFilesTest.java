package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What shells have open on a disk that goes over. */
final class OpenFilesTest {
  @TempDir Path disk;

  private Path file;
  private @Nullable Process shell;

  @BeforeEach
  void makeFile() throws IOException {
    file = Files.writeString(disk.resolve("data"), "12345");
  }

  private int start(String open) throws IOException {
    Process started = new ProcessBuilder("/bin/sh", "-c", open + "; echo up; read go").start();
    shell = started;
    assertThat(started.inputReader().readLine()).isEqualTo("up");
    return (int) started.pid();
  }

  @AfterEach
  void end() {
    if (shell != null) {
      shell.destroyForcibly();
    }
  }

  @Test
  void aFileIsKnownByItsNameSizeAndPlace() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file), disk.toString())) {
      assertThat(open.onDisk()).hasSize(1);
      DiskFile found = open.onDisk().getFirst();
      assertThat(found.descriptor()).isEqualTo(7);
      assertThat(found.path()).isEqualTo(file.toString());
      assertThat(found.bytes()).isEqualTo(5);
      assertThat(open.changed()).isEmpty();
    }
  }

  @Test
  void aFileElsewhereIsNoneOfTheDisks() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file), disk + "2")) {
      assertThat(open.onDisk()).isEmpty();
    }
  }

  @Test
  void aFileThatIsRenamedReplacedOrRemovedIsAnotherOne() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file), disk.toString())) {
      Files.move(file, disk.resolve("old"));
      assertThat(open.changed()).get().asString().contains("old");
      Files.writeString(file, "67890");
      assertThat(open.changed()).get().asString().contains("old");
      Files.delete(disk.resolve("old"));
      assertThat(open.changed()).get().asString().contains("(deleted)");
    }
  }

  @Test
  void twoDescriptorsOfOneOpeningCannotBeOpenedTwice() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file + " 8>&7"), disk.toString())) {
      assertThatThrownBy(open::onDisk)
          .isInstanceOf(Unstageable.class)
          .hasMessageContaining("7 and 8 share");
    }
  }

  @Test
  void aChildThatInheritsAFileSharesIt() throws Exception {
    int parent = start("exec 7>>" + file + "; { sleep 1000 & }");
    int child =
        (int) ProcessHandle.of(parent).orElseThrow().children().findFirst().orElseThrow().pid();
    // Until it sleeps (clock_nanosleep), it opens and closes what it is linked to.
    while (!Files.readString(Path.of("/proc/" + child + "/syscall")).startsWith("230 ")) {
      Thread.onSpinWait();
    }
    try (OpenFiles open = OpenFiles.hold(parent, disk.toString());
        OpenFiles inherited = OpenFiles.hold(child, disk.toString())) {
      assertThat(open.sharedOnDisk(inherited)).contains(file.toString());
    } finally {
      ProcessHandle.of(child).ifPresent(ProcessHandle::destroyForcibly);
    }
  }
}
