package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.qemu.MachineSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What B does to the hardware: nothing to A's, and after a rollback nothing any more to its own.
 */
@Tag("machine")
final class HardwareTest {

  private static final String TWIN_FUNCTION = MachineSpec.TWIN_BUS + ":00.0";
  private static final int BUS_MASTER = 4;

  /** Of a virtio device's status: the driver is ready. */
  private static final int DRIVER_OK = 4;

  @TempDir Path folder;

  @Test
  void leavesTheOtherKernelsRegistersAndQuiescesItsDevices() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of())) {
      // Interrupts that were bound to this CPU move away from it, twin or not.
      node.onA(
          "cd /sys/devices/system/cpu/cpu3; echo 0 >online; echo 1 >online;"
              // Nobody drives B's device before or after: what is seen then is B's doing.
              + " echo "
              + TWIN_FUNCTION
              + " >/sys/bus/pci/devices/"
              + TWIN_FUNCTION
              + "/driver/unbind");
      List<String> functions = node.onA("ls -1 /sys/bus/pci/devices").lines().toList();
      assertThat(functions).contains(MachineSpec.SERVICE_NIC, TWIN_FUNCTION).hasSizeGreaterThan(6);
      Registers registers = new Registers(node, ecam(node), functions);

      SortedMap<String, String> before = registers.read();
      assertThat(before).hasSizeGreaterThan(40).containsKey("I/O APIC pin 23");
      assertThat(registers.command(TWIN_FUNCTION) & BUS_MASTER).isZero();

      String upgrade = node.boot();
      assertThat(registers.command(TWIN_FUNCTION) & BUS_MASTER).isEqualTo(BUS_MASTER);
      assertThat(registers.deviceStatus(TWIN_FUNCTION) & DRIVER_OK).isEqualTo(DRIVER_OK);
      SortedMap<String, String> beside = new TreeMap<>(registers.read());
      beside.put("PCI " + TWIN_FUNCTION, before.get("PCI " + TWIN_FUNCTION));
      assertThat(beside).isEqualTo(before);

      node.rollBack(upgrade);
      assertThat(registers.command(TWIN_FUNCTION) & BUS_MASTER).isZero();
      assertThat(registers.deviceStatus(TWIN_FUNCTION) & DRIVER_OK).isZero();
      assertThat(registers.read()).isEqualTo(before);
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
    }
  }

  /** Physical base of the configuration space. */
  static long ecam(TestNode node) throws Exception {
    String line = node.onA("grep -E 'PCI (MMCONFIG|ECAM) 0000' /proc/iomem").strip();
    assertThat(line).isNotEmpty();
    return Long.parseLong(line.substring(0, line.indexOf('-')), 16);
  }
}
