package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class UnameTest {
  @Test
  void isWhatProcfsSays() throws Exception {
    Uname uname = Uname.current();

    assertThat(uname.system() + "\n").isEqualTo(SysFiles.read("/proc/sys/kernel/ostype"));
    assertThat(uname.node() + "\n").isEqualTo(SysFiles.read("/proc/sys/kernel/hostname"));
    assertThat(uname.release() + "\n").isEqualTo(SysFiles.read("/proc/sys/kernel/osrelease"));
    assertThat(uname.version() + "\n").isEqualTo(SysFiles.read("/proc/sys/kernel/version"));
    assertThat(uname.machine()).isEqualTo("x86_64");
  }
}
