package io.twinkernel.broker.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.acpi.Window;
import io.twinkernel.broker.plan.CapturedTree;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PciBridgesTest {
  @Test
  void describesABusByItsRootPortsWindows(@TempDir Path root) throws Exception {
    var bridges = new PciBridges(CapturedTree.in(root).resolve("sys/bus/pci/devices"));

    assertThat(bridges.hostBridge("0000:81"))
        .contains(
            HostBridge.of(
                0x81,
                Window.memory(0xfe000000L, 0xfe1fffffL),
                Window.prefetchable(0xfe800000L, 0xfe9fffffL)));
    assertThat(bridges.hostBridge("0000:83"))
        .contains(
            HostBridge.of(
                0x83,
                Window.memory(0xfdc00000L, 0xfddfffffL),
                Window.prefetchable(0xfe400000L, 0xfe5fffffL)));
  }

  @Test
  void aBusBehindNoBridgeIsNone(@TempDir Path root) throws Exception {
    var bridges = new PciBridges(CapturedTree.in(root).resolve("sys/bus/pci/devices"));

    assertThat(bridges.hostBridge("0000:00")).isEmpty();
    assertThat(bridges.hostBridge("0000:7f")).isEmpty();
  }
}
