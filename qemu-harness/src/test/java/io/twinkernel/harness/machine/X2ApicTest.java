package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A with its local APICs in x2APIC mode, as on servers and in most clouds. QEMU's processors come
 * to that by an IOMMU that remaps interrupts; hardware's would keep those of B's devices away.
 */
@Tag("machine")
final class X2ApicTest {
  private static final List<String> IOMMU =
      List.of("-device", "intel-iommu,intremap=on,eim=on", "-machine", "kernel-irqchip=split");

  @TempDir Path folder;

  @Test
  void everyCpuGoesOver() throws Exception {
    Map<String, String> settings = Map.of("iommu.interrupts", "pass");
    // The devices' addresses are not to be translated.
    String parameters = "intel_iommu=off";
    try (TestNode node = TestNode.start(folder, settings, "6.1", "6.12", parameters, IOMMU)) {
      assertThat(node.onA("dmesg")).contains("x2apic enabled");
      assertThat(node.onA("cat /proc/interrupts")).contains("IR-PCI-MSI");
      String upgrade = node.boot(3, 2);
      assertThat(node.onB("nproc")).isEqualTo("2");
      assertThat(node.finish(upgrade)).isEqualTo("COMPLETE");
      assertThat(node.onB("nproc")).isEqualTo("4");
      assertThat(node.serves(Duration.ofSeconds(10))).isTrue();
      assertThat(node.bootLog()).doesNotContain("WARNING:", "BUG:");
    }
  }
}
