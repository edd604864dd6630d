package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SysFilesTest {
  private static final String OOM = "/proc/self/oom_score_adj";

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsRead() throws Exception {
    String before = SysFiles.read(OOM);
    try {
      SysFiles.write(OOM, "321");
      assertThat(SysFiles.read(OOM)).isEqualTo("321\n");
    } finally {
      // Lowering it again needs a right that only root has; the write above raised it.
      if (ProcessHandle.current().info().user().orElse("").equals("root")) {
        SysFiles.write(OOM, before);
      }
    }
  }

  @Test
  void theKernelsErrnoIsKept() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> SysFiles.write(OOM, "99999\n"))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EINVAL))
        .withMessage("write(%s, \"99999\"): EINVAL (invalid argument)", OOM);
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> SysFiles.read("/sys/twinkernel"))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.ENOENT))
        .withMessageStartingWith("open(/sys/twinkernel, O_RDONLY): ENOENT");
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> SysFiles.write("/sys/twinkernel", "1"))
        .withMessageStartingWith("open(/sys/twinkernel, O_WRONLY): ENOENT");
  }

  @Test
  void ofWhatIsGoneThereIsNothingToRead() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    assertThat(SysFiles.readIfThere("/proc/" + ended.pid() + "/stat")).isEmpty();
    assertThat(SysFiles.readIfThere("/sys/twinkernel")).isEmpty();
    assertThat(SysFiles.readIfThere(OOM)).contains(SysFiles.read(OOM));
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> SysFiles.readIfThere("/proc"))
        .satisfies(failure -> assertThat(failure.errno().name()).isEqualTo("EISDIR"));
  }

  @Test
  void aLongFileIsReadToItsEnd() throws Exception {
    String text = "grüß dich, twin\n".repeat(5_000);
    Path file = Files.writeString(folder.resolve("long"), text);

    assertThat(SysFiles.read(file.toString())).isEqualTo(text);
  }

  @Test
  void anEmptyFileIsEmpty() throws Exception {
    Path file = Files.createFile(folder.resolve("empty"));

    assertThat(SysFiles.read(file.toString())).isEmpty();
    SysFiles.write(file.toString(), "");
    assertThat(file).isEmptyFile();
  }

  @Test
  void aFullDeviceIsEnospc() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> SysFiles.write("/dev/full", "1"))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.ENOSPC))
        .withMessageEndingWith("make room");
  }
}
