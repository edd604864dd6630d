package io.twinkernel.broker.plan;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Reads {@link PciFunction}s from {@code /sys/bus/pci}, and what this kernel uses them for. */
final class PciReader {

  private static final int UP = 1; // IFF_UP

  private final Path root;

  PciReader(Path root) {
    this.root = root;
  }

  List<PciFunction> functions() throws IOException {
    List<PciFunction> functions = new ArrayList<>();
    Path devices = root.resolve("sys/bus/pci/devices");
    if (!Files.isDirectory(devices)) {
      return functions;
    }
    BlockUses block = BlockUses.read(root);
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(devices)) {
      for (Path device : entries) {
        functions.add(function(device, block));
      }
    }
    functions.sort(Comparator.comparing(PciFunction::address));
    return functions;
  }

  private PciFunction function(Path device, BlockUses block) throws IOException {
    List<String> interfaces = new ArrayList<>();
    List<String> uses = new ArrayList<>();
    boolean bridge = Files.exists(device.resolve("secondary_bus_number"));
    if (!bridge) { // a bridge's devices are entries of their own
      walk(device, 0, interfaces, uses, block);
    }
    return new PciFunction(
        device.getFileName().toString(),
        Integer.decode(Files.readString(device.resolve("class")).strip()),
        link(device.resolve("driver")),
        bridge ? number(device.resolve("secondary_bus_number")) : 0,
        bridge ? number(device.resolve("subordinate_bus_number")) : 0,
        iommu(device),
        interfaces,
        uses);
  }

  /**
   * Finds network interfaces and block devices at any depth below a function: virtio, SCSI, NVMe.
   */
  private void walk(
      Path directory, int depth, List<String> interfaces, List<String> uses, BlockUses block)
      throws IOException {
    if (depth > 9) {
      return;
    }
    try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
      for (Path child : children) {
        if (Files.isSymbolicLink(child) || !Files.isDirectory(child)) {
          continue;
        }
        switch (child.getFileName().toString()) {
          case "net" -> network(child, interfaces, uses);
          case "block" -> block.uses(child, uses);
          case "power", "msi_irqs", "queues", "statistics", "wakeup" -> {}
          default -> walk(child, depth + 1, interfaces, uses, block);
        }
      }
    }
  }

  private static void network(Path net, List<String> interfaces, List<String> uses)
      throws IOException {
    try (DirectoryStream<Path> names = Files.newDirectoryStream(net)) {
      for (Path entry : names) {
        String name = entry.getFileName().toString();
        interfaces.add(name);
        if ((Integer.decode(Files.readString(entry.resolve("flags")).strip()) & UP) != 0) {
          uses.add("network interface " + name + " is up");
        }
      }
    }
  }

  /** How the function's group translates; kernels before 5.11 do not say, and translate. */
  private static String iommu(Path device) throws IOException {
    Path group = device.resolve("iommu_group");
    if (!Files.exists(group)) {
      return "";
    }
    Path type = group.resolve("type");
    return Files.exists(type) ? Files.readString(type).strip() : "DMA";
  }

  private static String link(Path link) throws IOException {
    return Files.isSymbolicLink(link) ? Files.readSymbolicLink(link).getFileName().toString() : "";
  }

  private static int number(Path file) throws IOException {
    return Integer.parseInt(Files.readString(file).strip());
  }
}
