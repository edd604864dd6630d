package io.twinkernel.broker.disk;

import io.twinkernel.broker.pci.ClassDevices;
import io.twinkernel.broker.pci.PciAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A disk of a PCI function, or a partition of it.
 *
 * @param name as in /dev
 * @param partition its number, 0 for the whole disk
 * @param function PCI address as "0000:84:00.0"
 * @param driver the function's
 * @param virtio whether it is virtio-blk: directly below the virtio device that the function is
 */
public record BlockDevice(
    String name, int partition, String function, String driver, boolean virtio) {

  private static final Pattern FUNCTION =
      Pattern.compile("[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");

  /**
   * Finds the device of a number.
   *
   * @param sys where sysfs is
   * @param number major:minor, decimal
   * @return empty if it is no PCI function's own: a loop, a device mapper's, a network's
   */
  public static Optional<BlockDevice> of(Path sys, String number) throws IOException {
    Path device;
    try {
      device = sys.resolve("dev/block").resolve(number).toRealPath();
    } catch (NoSuchFileException e) {
      return Optional.empty(); // a number of the file system's own
    }
    Path function = null;
    for (Path up = device; up != null && up.getFileName() != null; up = up.getParent()) {
      if (FUNCTION.matcher(up.getFileName().toString()).matches()) {
        function = up;
        break;
      }
    }
    if (function == null) {
      return Optional.empty();
    }
    int partition = partition(device);
    Path disk = partition == 0 ? device : device.getParent();
    // FUNCTION/virtioN/block/NAME
    Path below = function.relativize(disk);
    Path driver = function.resolve("driver");
    return Optional.of(
        new BlockDevice(
            device.getFileName().toString(),
            partition,
            function.getFileName().toString(),
            Files.isSymbolicLink(driver)
                ? Files.readSymbolicLink(driver).getFileName().toString()
                : "",
            below.getNameCount() == 3
                && below.getName(0).toString().startsWith("virtio")
                && below.getName(1).toString().equals("block")));
  }

  /**
   * The name of a virtio function's disk, or of one of its partitions.
   *
   * @param sys where sysfs is
   * @param partition 0 for the whole disk
   */
  public static String find(Path sys, String function, int partition) throws IOException {
    if (!Files.exists(sys.resolve("bus/pci/devices").resolve(function))) {
      throw new IOException("this kernel has no PCI function " + function);
    }
    Path disk =
        ClassDevices.find(sys, function, "block")
            .orElseThrow(
                () -> new IOException("no driver has made a disk of PCI function " + function));
    return name(disk, partition);
  }

  private static String name(Path disk, int partition) throws IOException {
    if (partition == 0) {
      return disk.getFileName().toString();
    }
    try (var parts = Files.newDirectoryStream(disk, disk.getFileName() + "*")) {
      for (Path part : parts) {
        if (partition(part) == partition) {
          return part.getFileName().toString();
        }
      }
    }
    throw new IOException(disk.getFileName() + " has no partition " + partition);
  }

  private static int partition(Path device) throws IOException {
    Path number = device.resolve("partition");
    return Files.exists(number) ? Integer.parseInt(Files.readString(number).strip()) : 0;
  }

  /** Its bus, as "0000:84". */
  public String bus() {
    return PciAddress.bus(function);
  }
}
