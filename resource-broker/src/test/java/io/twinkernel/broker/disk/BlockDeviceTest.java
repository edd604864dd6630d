package io.twinkernel.broker.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the links that a guest's sysfs has for a virtio disk, one partition, and a loop device. */
final class BlockDeviceTest {
  private static final String FUNCTION = "0000:84:00.0";

  @TempDir Path sys;

  @BeforeEach
  void tree() throws IOException {
    Path function = sys.resolve("devices/pci0000:80/0000:80:03.0").resolve(FUNCTION);
    Path disk = Files.createDirectories(function.resolve("virtio4/block/vda"));
    Files.writeString(Files.createDirectories(disk.resolve("vda1")).resolve("partition"), "1\n");
    Files.createDirectories(sys.resolve("bus/pci/drivers/virtio-pci"));
    Files.createSymbolicLink(
        function.resolve("driver"), Path.of("../../../../bus/pci/drivers/virtio-pci"));
    Path loop = Files.createDirectories(sys.resolve("devices/virtual/block/loop0"));
    Path numbers = Files.createDirectories(sys.resolve("dev/block"));
    Files.createSymbolicLink(numbers.resolve("254:0"), disk);
    Files.createSymbolicLink(numbers.resolve("254:1"), disk.resolve("vda1"));
    Files.createSymbolicLink(numbers.resolve("7:0"), loop);
    Path devices = Files.createDirectories(sys.resolve("bus/pci/devices"));
    Files.createSymbolicLink(devices.resolve(FUNCTION), function);
  }

  @Test
  void findsTheFunctionOfADiskAndOfAPartition() throws IOException {
    BlockDevice disk = BlockDevice.of(sys, "254:0").orElseThrow();
    assertThat(disk).isEqualTo(new BlockDevice("vda", 0, FUNCTION, "virtio-pci", true));
    assertThat(disk.bus()).isEqualTo("0000:84");
    assertThat(BlockDevice.of(sys, "254:1"))
        .contains(new BlockDevice("vda1", 1, FUNCTION, "virtio-pci", true));
  }

  @Test
  void whatIsNoFunctionsDiskIsNone() throws IOException {
    assertThat(BlockDevice.of(sys, "7:0")).isEmpty();
    assertThat(BlockDevice.of(sys, "0:27")).isEmpty();
  }

  @Test
  void theOtherKernelFindsItByFunctionAndPartition() throws IOException {
    assertThat(BlockDevice.find(sys, FUNCTION, 0)).isEqualTo("vda");
    assertThat(BlockDevice.find(sys, FUNCTION, 1)).isEqualTo("vda1");
    assertThatThrownBy(() -> BlockDevice.find(sys, FUNCTION, 2))
        .hasMessageContaining("no partition 2");
    assertThatThrownBy(() -> BlockDevice.find(sys, "0000:85:00.0", 0))
        .hasMessageContaining("0000:85:00.0");
  }
}
