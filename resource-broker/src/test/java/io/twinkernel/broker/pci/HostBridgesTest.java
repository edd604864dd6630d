package io.twinkernel.broker.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.acpi.Window;
import io.twinkernel.broker.plan.CapturedTree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HostBridgesTest {
  @Test
  void describesABusByItsRootPortsWindows(@TempDir Path root) throws Exception {
    var bridges = new HostBridges(CapturedTree.in(root));

    assertThat(bridges.of("0000:81"))
        .contains(
            HostBridge.of(
                0x81,
                Window.memory(0xfe000000L, 0xfe1fffffL),
                Window.prefetchable(0xfe800000L, 0xfe9fffffL)));
    assertThat(bridges.of("0000:83"))
        .contains(
            HostBridge.of(
                0x83,
                Window.memory(0xfdc00000L, 0xfddfffffL),
                Window.prefetchable(0xfe400000L, 0xfe5fffffL)));
  }

  @Test
  void aBusBehindNoBridgeIsNone(@TempDir Path root) throws Exception {
    var bridges = new HostBridges(CapturedTree.in(root));

    assertThat(bridges.of("0000:00")).isEmpty();
    assertThat(bridges.of("0000:7f")).isEmpty();
    assertThat(bridges.recorded()).isEmpty();
  }

  @Test
  void aKernelWithoutRootPortsGoesByWhatItWasTold(@TempDir Path first, @TempDir Path second)
      throws Exception {
    List<HostBridge> told = new HostBridges(CapturedTree.in(first)).all();
    assertThat(told).hasSizeGreaterThan(1);
    java.nio.file.Files.createDirectories(second.resolve("sys/bus/pci/devices"));

    new HostBridges(second).record(HostBridges.format(told));

    var bridges = new HostBridges(second);
    assertThat(bridges.all()).isEqualTo(told);
    assertThat(bridges.recorded()).isEqualTo(told);
    assertThat(bridges.of("0000:81")).isPresent();
  }

  @Test
  void everyKindOfWindowSurvives() throws Exception {
    var bridge =
        new HostBridge(
            0x20,
            0x2f,
            List.of(
                Window.ports(0xc000, 0xcfff),
                Window.memory(0xfe000000L, 0xfe1fffffL),
                Window.prefetchable(0x38_0000_0000L, 0x38_ffff_ffffL)));

    assertThat(HostBridges.parse(HostBridges.format(List.of(bridge)))).containsExactly(bridge);
  }

  @Test
  void whatIsNoBridgeIsRefused() {
    for (String line : List.of("", "81", "81 81 rom:0-1", "81 81 mem:2-1", "81 100", "81 81 mem")) {
      assertThatThrownBy(() -> HostBridges.parse(List.of(line)))
          .as(line)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("'" + line + "'");
    }
  }
}
