package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.prestage.OpenFile.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What shells have open on a disk that goes over. */
final class OpenFilesTest {
  @TempDir Path disk;
  @TempDir Path elsewhere;

  private Path file;
  private @Nullable Process shell;

  @BeforeEach
  void makeFile() throws IOException {
    file = Files.writeString(disk.resolve("data"), "12345");
  }

  private int start(String open) throws IOException {
    String then = "; echo up; while read go; do eval \"$go\"; echo done; done";
    Process started = new ProcessBuilder("/bin/sh", "-c", open + then).start();
    shell = started;
    assertThat(started.inputReader().readLine()).isEqualTo("up");
    return (int) started.pid();
  }

  private void proceed(String command) throws IOException {
    Process started = Objects.requireNonNull(shell);
    started.outputWriter().append(command).append('\n').flush();
    assertThat(started.inputReader().readLine()).isEqualTo("done");
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
      assertThat(open.onDisk().tell(List.of())).hasSize(1);
      DiskFile found = open.onDisk().tell(List.of()).getFirst();
      assertThat(found.descriptor()).isEqualTo(7);
      assertThat(found.path()).isEqualTo(file.toString());
      assertThat(found.bytes()).isEqualTo(5);
      assertThat(open.changed()).isEmpty();
    }
  }

  @Test
  void aFileElsewhereIsNoneOfTheDisks() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file), disk + "2")) {
      assertThat(open.onDisk().tell(List.of())).isEmpty();
    }
  }

  @Test
  void aFileThatIsRenamedIsToldOfByItsName() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file), disk.toString())) {
      List<DiskFile> before = open.onDisk().tell(List.of());
      Files.move(file, disk.resolve("old"));
      Files.writeString(file, "67890");
      assertThat(open.changed()).isEmpty();
      assertThat(open.changedOnDisk()).isTrue();
      assertThat(open.tell(Set.of()).closed()).isEmpty();
      List<DiskFile> now = open.onDisk().news(List.of()).orElseThrow();
      assertThat(now).extracting(DiskFile::path).containsExactly(disk.resolve("old").toString());
      assertThat(now.getFirst().isLike(before.getFirst())).isFalse();
      assertThat(open.changed()).isEmpty();
      assertThat(open.changedOnDisk()).isFalse();
      assertThat(open.onDisk().news(List.of())).isEmpty();
    }
  }

  @Test
  void aFileThatLeavesTheDiskOrIsRemovedHasNoNameThere() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file), disk.toString())) {
      Files.move(file, elsewhere.resolve("data"));
      assertThat(open.changed()).get().asString().contains("descriptor 7", elsewhere.toString());
      Files.delete(elsewhere.resolve("data"));
      assertThat(open.changed()).get().asString().contains("descriptor 7", "(deleted)");
    }
  }

  /** Its copy has opened it by the name that it had. */
  @Test
  void aFileElsewhereThatIsRenamedIsAnotherOne() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file), disk + "2")) {
      Files.move(file, disk.resolve("old"));
      assertThat(open.changed()).get().asString().contains("old");
    }
  }

  @Test
  void whatIsOpenedAndClosedOnTheDiskIsToldOf() throws Exception {
    int pid = start("exec 7>>" + file + " 8>&7 9</dev/null");
    Path second = Files.writeString(disk.resolve("second"), "2");
    try (OpenFiles open = OpenFiles.hold(pid, disk.toString())) {
      var _ = open.onDisk().tell(List.of());
      proceed("exec 7>&- 9<" + second);
      assertThat(open.changed()).isEmpty();
      assertThat(open.changedOnDisk()).isTrue();
      assertThat(open.arrived()).isEmpty();
      assertThat(open.tell(Set.of()).closed()).containsExactly(7, 9);
      List<DiskFile> now = open.onDisk().news(List.of()).orElseThrow();
      assertThat(now).extracting(DiskFile::descriptor).containsExactly(8, 9);
      assertThat(now)
          .extracting(DiskFile::path)
          .containsExactly(file.toString(), second.toString());
      assertThat(now).extracting(DiskFile::opening).containsOnly(Optional.empty());
      assertThat(open.of(Kind.FILE)).containsExactly(8, 9);
      proceed("exec 9<&8");
      assertThat(open.changed()).isEmpty();
      assertThat(open.tell(Set.of()).closed()).containsExactly(9);
      assertThat(open.onDisk().news(List.of()).orElseThrow())
          .extracting(DiskFile::opening)
          .containsExactly(Optional.empty(), Optional.of(new DiskFile.Opening(pid, 8)));
    }
  }

  @Test
  void whatIsOpenedElsewhereIsNotToldOf() throws Exception {
    int pid = start("exec 7</dev/null");
    try (OpenFiles open = OpenFiles.hold(pid, disk + "2")) {
      proceed("exec 7<" + file);
      assertThat(open.changed()).isEmpty();
      assertThat(open.arrived()).get().asString().contains("descriptor 7", "is new");
    }
  }

  @Test
  void twoDescriptorsOfOneOpeningAreKnown() throws Exception {
    int pid = start("exec 7>>" + file + " 8>&7 9>>" + file);
    try (OpenFiles open = OpenFiles.hold(pid, disk.toString())) {
      assertThat(open.onDisk().tell(List.of()))
          .extracting(DiskFile::opening)
          .containsExactly(
              Optional.empty(), Optional.of(new DiskFile.Opening(pid, 7)), Optional.empty());
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
      assertThat(inherited.onDisk().tell(List.of(open.onDisk())))
          .extracting(DiskFile::opening)
          .containsExactly(Optional.of(new DiskFile.Opening(parent, 7)));
      assertThat(inherited.onDisk().tell(List.of()))
          .extracting(DiskFile::opening)
          .containsExactly(Optional.empty());
    } finally {
      ProcessHandle.of(child).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void whatDependsOnTheKernelIsNoState() {
    String signals = "pos:\t0\nflags:\t02\nmnt_id:\t13\nsigmask:\t0000000000010000\n";
    String later = "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t2061\nsigmask:\t0000000000010000\n";
    assertThat(DescriptorStates.state(later))
        .isEqualTo(DescriptorStates.state(signals))
        .isEqualTo("sigmask: 0000000000010000");
    assertThat(DescriptorStates.state("pos:\t0\nflags:\t0100001\n")).isEmpty();
  }

  @Test
  void dataInAPipeOfTheCopyIsSaid() throws Exception {
    int pid =
        start("mkfifo " + disk.resolve("p") + "; exec 7<>" + disk.resolve("p") + "; echo data >&7");
    assertThatThrownBy(() -> DescriptorStates.check(pid, Map.of(7, "empty")))
        .isInstanceOf(Unstageable.class)
        .hasMessageContaining("descriptor 7");
    DescriptorStates.check(pid, Map.of(0, "empty"));
  }
}
