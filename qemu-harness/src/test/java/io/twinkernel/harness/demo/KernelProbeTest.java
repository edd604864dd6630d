package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

final class KernelProbeTest {

  @Test
  void readsCpuLists() throws Exception {
    assertThat(KernelProbe.cpus("0-3")).containsExactly(0, 1, 2, 3);
    assertThat(KernelProbe.cpus("0,2-3,7\n")).containsExactly(0, 2, 3, 7);
    assertThatThrownBy(() -> KernelProbe.cpus("")).isInstanceOf(IOException.class);
  }

  @Test
  void addsUpRam() throws Exception {
    assertThat(
            KernelProbe.ram(
                """
                00001000-0009fbff : System RAM
                00100000-7ffdffff : System RAM
                100000000-13fffffff : System RAM
                """))
        .isEqualTo(0x9ec00L + 0x7fee0000L + 0x40000000L);
    assertThatThrownBy(() -> KernelProbe.ram("grep: /proc/iomem: no such file"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("grep");
  }
}
