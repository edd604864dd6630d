package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
      assertThat(open.onDisk(List.of())).hasSize(1);
      DiskFile found = open.onDisk(List.of()).getFirst();
      assertThat(found.descriptor()).isEqualTo(7);
      assertThat(found.path()).isEqualTo(file.toString());
      assertThat(found.bytes()).isEqualTo(5);
      assertThat(open.changed()).isEmpty();
    }
  }

  @Test
  void aFileElsewhereIsNoneOfTheDisks() throws Exception {
    try (OpenFiles open = OpenFiles.hold(start("exec 7>>" + file), disk + "2")) {
      assertThat(open.onDisk(List.of())).isEmpty();
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
  void twoDescriptorsOfOneOpeningAreKnown() throws Exception {
    int pid = start("exec 7>>" + file + " 8>&7 9>>" + file);
    try (OpenFiles open = OpenFiles.hold(pid, disk.toString())) {
      assertThat(open.onDisk(List.of()))
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
      assertThat(inherited.onDisk(List.of(open)))
          .extracting(DiskFile::opening)
          .containsExactly(Optional.of(new DiskFile.Opening(parent, 7)));
      assertThat(inherited.onDisk(List.of()))
          .extracting(DiskFile::opening)
          .containsExactly(Optional.empty());
    } finally {
      ProcessHandle.of(child).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void anEpollThatWaitsForSomethingElseIsNotTheSame() throws Exception {
    int pid = (int) ProcessHandle.current().pid();
    try (Selector selector = Selector.open();
        Pipe pipe = pipe()) {
      Map<Integer, String> before = epolls(pid);
      OpenFiles.check(pid, before);
      pipe.source().register(selector, SelectionKey.OP_READ);
      selector.selectNow();
      assertThat(epolls(pid).values()).anyMatch(said -> said.contains("events: 19 data:"));
      assertThatThrownBy(() -> OpenFiles.check(pid, before))
          .isInstanceOf(Unstageable.class)
          .hasMessageContaining("changed while the process was dumped");
    }
  }

  private record Pipe(
      java.nio.channels.Pipe.SourceChannel source, java.nio.channels.Pipe.SinkChannel sink)
      implements AutoCloseable {
    @Override
    public void close() throws IOException {
      source.close();
      sink.close();
    }
  }

  private static Pipe pipe() throws IOException {
    java.nio.channels.Pipe pipe = java.nio.channels.Pipe.open();
    pipe.source().configureBlocking(false);
    return new Pipe(pipe.source(), pipe.sink());
  }

  private static Map<Integer, String> epolls(int pid) throws IOException {
    var states = new TreeMap<Integer, String>();
    try (var entries = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      for (Path entry : entries) {
        if (Files.isSymbolicLink(entry)
            && Files.readSymbolicLink(entry).toString().equals("anon_inode:[eventpoll]")) {
          int number = Integer.parseInt(entry.getFileName().toString());
          states.put(
              number,
              OpenFiles.state(Files.readString(Path.of("/proc/" + pid + "/fdinfo/" + number))));
        }
      }
    }
    return states;
  }

  @Test
  void whatDependsOnTheKernelIsNoState() {
    // Of Linux 5.10 and 6.12.
    String old =
        "pos:\t0\nflags:\t02\nmnt_id:\t13\ntfd:        6 events:       19 data:                6  pos:0 ino:1c21 sdev:8\n";
    String recent =
        "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t2061\ntfd:        6 events:       19 data:                6  pos:0 ino:2a sdev:9\n";
    assertThat(OpenFiles.state(recent))
        .isEqualTo(OpenFiles.state(old))
        .isEqualTo("tfd: 6 events: 19 data: 6");
    assertThat(OpenFiles.state("pos:\t0\neventfd-count:                3\neventfd-id: 7\n"))
        .isEqualTo("eventfd-count: 3");
    assertThat(OpenFiles.state("pos:\t0\nflags:\t0100001\n")).isEmpty();
  }

  @Test
  void dataInAPipeOfTheCopyIsSaid() throws Exception {
    int pid =
        start("mkfifo " + disk.resolve("p") + "; exec 7<>" + disk.resolve("p") + "; echo data >&7");
    assertThatThrownBy(() -> OpenFiles.check(pid, Map.of(7, "empty")))
        .isInstanceOf(Unstageable.class)
        .hasMessageContaining("descriptor 7");
    OpenFiles.check(pid, Map.of(0, "empty"));
  }
}
