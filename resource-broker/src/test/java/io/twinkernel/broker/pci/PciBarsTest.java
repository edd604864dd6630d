package io.twinkernel.broker.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import io.twinkernel.ffi.PciBar;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PciBarsTest {
  private static final String NONE = "0x0000000000000000 0x0000000000000000 0x0000000000000000";

  /** Of a virtio NIC on Linux 6.1. */
  private static final List<String> NIC =
      List.of(
          NONE,
          "0x00000000fe240000 0x00000000fe240fff 0x0000000000040200",
          NONE,
          NONE,
          "0x00000000fea00000 0x00000000fea03fff 0x000000000014220c",
          NONE,
          "0x00000000fe200000 0x00000000fe23ffff 0x0000000000046200",
          NONE,
          NONE);

  /** Of a root port: a register of its own, then windows. */
  private static final List<String> PORT =
      List.of(
          "0x00000000fe811000 0x00000000fe811fff 0x0000000000040200",
          NONE,
          NONE,
          NONE,
          NONE,
          NONE,
          NONE,
          "0x0000000000001000 0x0000000000001fff 0x0000000000000101",
          "0x00000000fe200000 0x00000000fe3fffff 0x0000000000000200");

  @TempDir Path devices;

  private void function(String address, List<String> resources, String... files) throws Exception {
    Path device = Files.createDirectories(devices.resolve(address));
    Files.write(device.resolve("resource"), resources);
    for (String file : files) {
      Files.writeString(device.resolve(file), "0\n");
    }
  }

  @Test
  void readsRegistersAndRom() {
    assertThat(PciBars.parse(0x8100, false, NIC))
        .containsExactly(
            new PciBar(0x8100, 0x14, false, 0x1000),
            new PciBar(0x8100, 0x20, true, 0x4000),
            new PciBar(0x8100, 0x30, false, 0x40000));
  }

  @Test
  void aBridgeHasTwoRegisters() {
    assertThat(PciBars.parse(0x10, true, PORT))
        .containsExactly(new PciBar(0x10, 0x10, false, 0x1000));
  }

  @Test
  void findsTheFunctionsBehindABridge() throws Exception {
    function("0000:81:00.0", NIC);
    function("0000:81:01.3", NIC);
    function("0000:82:00.0", NIC);
    function("0000:00:02.0", PORT, "secondary_bus_number");

    assertThat(PciBars.behind(devices, HostBridge.of(0x81)).orElseThrow())
        .extracting(PciBar::function)
        .containsOnly(0x8100, 0x810b)
        .hasSize(6);
  }

  @Test
  void virtualFunctionsHaveRegistersThatNobodyTells() throws Exception {
    function("0000:81:00.0", NIC, "sriov_totalvfs");

    assertThat(PciBars.behind(devices, HostBridge.of(0x81))).isEmpty();
  }

  @Test
  void goesOverAsJson() throws Exception {
    List<PciBar> bars = PciBars.parse(0x8100, false, NIC);
    String json = Json.write(Map.of("bars", PciBars.toJson(bars)));

    assertThat(PciBars.fromJson(new Fields(Json.parse(json)).objects("bars"))).isEqualTo(bars);
  }
}
