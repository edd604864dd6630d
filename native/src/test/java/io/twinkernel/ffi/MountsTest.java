package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.twinkernel.ffi.bindings.Linux;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MountsTest {
  @TempDir Path folder;

  @Test
  void aBusyMountIsEbusy() throws Exception {
    assumeTrue(ProcessHandle.current().info().user().orElse("").equals("root"), "needs root");
    Path target = Files.createDirectory(folder.resolve("mount"));
    String path = target.toString();
    Mounts.mount("twin", path, "tmpfs", Linux.MS_NOSUID() | Linux.MS_NODEV(), "size=64k");
    try {
      int create = Linux.O_RDWR() | Linux.O_CREAT();
      try (Fd open = Fd.open(target.resolve("file").toString(), create)) {
        assertThat(SysFiles.read("/proc/self/mounts"))
            .containsPattern(path + " tmpfs rw,nosuid,nodev,[^ ]*size=64k");

        assertThatExceptionOfType(SyscallException.class)
            .isThrownBy(() -> Mounts.unmount(path, 0))
            .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EBUSY))
            .withMessage("umount(%s): EBUSY (device or resource busy)", path);
        assertThat(open.number()).isNotNegative();
      }
    } finally {
      Mounts.unmount(path, Linux.MNT_DETACH());
    }
    assertThat(SysFiles.read("/proc/self/mounts")).doesNotContain(path);
  }

  @Test
  void aFileSystemThatIsNotThereIsRefused() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Mounts.mount("twin", folder.toString(), "no-such-fs", 0, ""))
        .satisfies(failure -> assertThat(failure.errno().name()).isIn("ENODEV", "EPERM"))
        .withMessageStartingWith("mount(twin, %s, no-such-fs, \"\"): ".formatted(folder));
  }
}
