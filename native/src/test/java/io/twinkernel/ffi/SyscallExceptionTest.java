package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SyscallExceptionTest {
  @Test
  void saysWhatFailedWithWhatWhyAndWhatToDo() {
    SyscallException failure =
        new SyscallException("write", "/sys/devices/system/cpu/cpu3/online, \"0\"", Errno.EBUSY);

    assertThat(failure)
        .hasMessage(
            "write(/sys/devices/system/cpu/cpu3/online, \"0\"): EBUSY (device or resource busy): it"
                + " cannot change its state now: a CPU is the last one online or CPU hotplug is"
                + " locked, memory holds pages that cannot be moved");
    assertThat(failure.call()).isEqualTo("write");
    assertThat(failure.arguments()).isEqualTo("/sys/devices/system/cpu/cpu3/online, \"0\"");
    assertThat(failure.errno()).isEqualTo(Errno.EBUSY);
  }

  @Test
  void saysNoMoreThanIsKnown() {
    assertThat(new SyscallException("uname", "", Errno.EFAULT))
        .hasMessage("uname(): EFAULT (bad address)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          kexec_file_load    | vmlinuz                          | 16  | another kexec load
          kexec_file_load    | vmlinuz                          | 8   | give an x86-64 bzImage
          kexec_file_load    | vmlinuz                          | 1   | needs root (CAP_SYS_BOOT)
          kexec_file_load    | vmlinuz                          | 99  | larger crashkernel=
          kexec_file_load    | vmlinuz                          | 129 | signature
          finit_module       | twin.ko                          | 17  | loaded already
          finit_module       | twin.ko                          | 8   | no module of the running kernel
          finit_module       | twin.ko                          | 2   | modules it depends on
          delete_module      | twin                             | 11  | in use
          open               | /dev/twin, O_RDWR                | 2   | twin module is not loaded
          open               | /etc/x, O_RDONLY                 | 2   | check the path
          open               | /etc/x, O_RDONLY                 | 13  | run as root
          mmap               | /dev/twin, 4096 bytes at 0       | 6   | carve it first
          mmap               | /dev/twin                        | 6   | carve it first
          write              | /sys/devices/system/cpu/cpu0/online, "0" | 1 | cannot take it off or on
          write              | /sys/bus/pci/drivers/virtio-pci/unbind, "0000:81:00.0" | 19 | driver
          connect            | /run/criu.sock                   | 111 | nothing listens
          clock_adjtime      | CLOCK_REALTIME                   | 1   | CAP_SYS_TIME
          kill               | 4711, 9                          | 3   | no such process
          TWIN_IOC_CARVE     | 64 MiB                           | 19  | boot with crashkernel=SIZE
          TWIN_IOC_CARVE     | 64 MiB                           | 28  | crash region is too small
          TWIN_IOC_CARVE     | 64 MiB                           | 16  | a crash image is loaded
          TWIN_IOC_CARVE     | 5 bytes                          | 22  | multiple of 2 MiB
          TWIN_IOC_ARM       | CPU 0                            | 1   | boot CPU
          TWIN_IOC_ARM       | CPU 9                            | 22  | no such CPU
          TWIN_IOC_ARM       | CPU 3                            | 8   | no crash image is loaded
          TWIN_IOC_ARM       | CPU 3                            | 16  | a twin runs already
          TWIN_IOC_ARM       | CPU 3                            | 6   | carve and fill it
          TWIN_IOC_ARM       | CPU 3                            | 95  | ECAM
          TWIN_IOC_DISARM    |                                  | 16  | put it online
          TWIN_IOC_PARK      |                                  | 16  | take them offline
          TWIN_IOC_PARK      |                                  | 6   | nobody would take over
          TWIN_IOC_ADOPT_PCI | SSDT of 3 bytes                  | 74  | not valid
          TWIN_IOC_ADD_MEMORY| 0x0-0x1                          | 17  | in use already
          TWIN_IOC_DOORBELL  |                                  | 107 | not opened its side
          TWIN_IOC_PROMOTE   |                                  | 16  | not parked
          TWIN_IOC_ADOPT_PCI | SSDT of 3 bytes                  | 95  | started as a twin
          TWIN_IOC_CARVE     | 64 MiB                           | 95  | only the primary
          TWIN_IOC_DISARM    |                                  | 6   | nothing is armed
          TWIN_IOC_INFO      |                                  | 22  | module is newer
          TWIN_IOC_INFO      |                                  | 7   | module is older
          TWIN_IOC_INFO      |                                  | 25  | not the twin module's
          """)
  void wellKnownFailuresSayWhatToDo(String call, String arguments, int errno, String advice) {
    assertThat(Advice.of(call, arguments == null ? "" : arguments, new Errno(errno)))
        .contains(advice);
  }
}
