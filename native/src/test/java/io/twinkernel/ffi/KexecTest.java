package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.twinkernel.ffi.bindings.Linux;
import org.junit.jupiter.api.Test;

/**
 * What a kernel refuses before it changes anything; the harness loads real ones.
 *
 * <p>The order in which {@code kexec_file_load} looks: ENOSYS where it is not built in, EPERM
 * without the right, EINVAL for flags, then the files.
 */
final class KexecTest {
  private static final long UNKNOWN_FLAG = 1L << 40;

  @Test
  void unknownFlagsAreRefused() throws Exception {
    try (Fd file = Fd.open("/dev/null", Linux.O_RDONLY())) {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(
              () -> Kexec.fileLoad(file, file, "quiet", Linux.KEXEC_FILE_ON_CRASH() | UNKNOWN_FLAG))
          .satisfies(
              failure -> {
                assertThat(failure.call()).isEqualTo("kexec_file_load");
                assertThat(failure.errno().name()).isIn("EINVAL", "EPERM", "ENOSYS");
              })
          .withMessageStartingWith(
              "kexec_file_load(/dev/null, /dev/null, \"quiet\","
                  + " KEXEC_FILE_ON_CRASH|0x10000000000): E");
    }
  }

  @Test
  void unloadingNamesItsFlags() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Kexec.unload(UNKNOWN_FLAG))
        .satisfies(failure -> assertThat(failure.errno().name()).isIn("EINVAL", "EPERM", "ENOSYS"))
        .withMessageStartingWith("kexec_file_load(KEXEC_FILE_UNLOAD|0x10000000000): E");
  }

  @Test
  void aClosedFileIsRefused() throws Exception {
    Fd closed = Fd.open("/dev/null", Linux.O_RDONLY());
    closed.close();

    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Kexec.fileLoad(closed, closed, "", 0))
        .satisfies(failure -> assertThat(failure.errno().name()).isIn("EBADF", "EPERM", "ENOSYS"))
        .withMessageStartingWith("kexec_file_load(/dev/null, /dev/null, \"\", 0x0): E");
  }
}
