package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a shell that has a file open and reads from it when it is told to. */
final class FileExchangeTest {
  private static final int NUMBER = 7;

  /** What the kernel adds for a program of 64 bits. */
  private static final int LARGE_FILE = 0100000;

  @TempDir Path folder;

  private Process process;
  private int pid;
  private Path disk;

  @BeforeEach
  void start() throws Exception {
    disk = Files.createDirectories(folder.resolve("disk"));
    Path held = Files.writeString(folder.resolve("first"), "stand-in\n");
    Files.writeString(disk.resolve("second"), "one\ntwo\n");
    // Not a child of this program: the JVM waits for its children, and would be told of their
    // stops.
    String work = "exec 7<>" + held + "; echo up; read go; read line <&7; /bin/pwd -P; echo $line";
    process =
        new ProcessBuilder(
                "/bin/sh", "-c", "exec 3<&0; /bin/sh -c '" + work + "' <&3 3<&- & echo $!; wait")
            .start();
    // Either of the two may be the first to say its line.
    String first = process.inputReader().readLine();
    String second = process.inputReader().readLine();
    assertThat(List.of(first, second)).contains("up");
    pid = Integer.parseInt(first.equals("up") ? second : first);
    Processes.kill(pid, Linux.SIGSTOP());
    while (!Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") T ")) {
      Thread.onSpinWait();
    }
  }

  @AfterEach
  void end() {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  private StagedProcess hold(DiskFile file, String directory) throws IOException {
    return StagedProcess.hold(
        pid, List.of(pid), List.of(), List.of(NUMBER), List.of(file), directory);
  }

  private DiskFile file(String name, int flags) throws IOException {
    Path path = disk.resolve(name);
    return new DiskFile(
        NUMBER, path.toString(), flags, Files.size(path), 0100644, Optional.empty());
  }

  @Test
  void theProcessGoesOnWithTheOtherFileAndInTheOtherDirectory() throws Exception {
    byte[] before = start(pid);
    DiskFile second =
        file("second", Linux.O_RDWR() | Linux.O_APPEND() | Linux.O_CLOEXEC() | LARGE_FILE);
    try (var staged = hold(second, disk.toString())) {
      staged.reopen();
      assertThat(DiskFile.of(pid, NUMBER, second.path())).isEqualTo(second);
      assertThat(Files.readSymbolicLink(Path.of("/proc/" + pid + "/cwd"))).isEqualTo(disk);
      assertThat(start(pid)).isEqualTo(before);
    }
    Processes.kill(pid, Linux.SIGCONT());
    process.outputWriter().append("go\n").flush();
    assertThat(process.inputReader().readLine()).isEqualTo(disk.toString());
    assertThat(process.inputReader().readLine()).isEqualTo("one");
  }

  @Test
  void aFileThatIsNotThereIsNamedAndNothingIsLost() throws Exception {
    byte[] before = start(pid);
    var missing = new DiskFile(NUMBER, disk.resolve("third").toString(), 0, 0, 0, Optional.empty());
    try (var staged = hold(missing, "")) {
      assertThatThrownBy(staged::reopen)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("third")
          .hasMessageContaining("ENOENT");
      assertThat(start(pid)).isEqualTo(before);
    }
    Processes.kill(pid, Linux.SIGCONT());
    process.outputWriter().append("go\n").flush();
    assertThat(process.inputReader().readLine()).isNotNull();
    assertThat(process.inputReader().readLine()).isEqualTo("stand-in");
  }

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
    DiskFile there = file("second", 0);
    try (var standIns = new StandIns()) {
      assertThatThrownBy(() -> standIns.make(List.of(there), "", 0))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("second");
    }
    assertThat(disk.resolve("second")).hasContent("one\ntwo\n");
  }

  /** The first page of the program's file in its memory. */
  private static byte[] start(int pid) throws IOException {
    long address =
        MemoryMap.read(pid).areas().stream()
            .filter(area -> area.name().startsWith("/"))
            .findFirst()
            .orElseThrow()
            .start();
    try (var memory = new RandomAccessFile("/proc/" + pid + "/mem", "r")) {
      memory.seek(address);
      byte[] page = new byte[4096];
      memory.readFully(page);
      return page;
    }
  }
}
