package io.twinkernel.broker.net;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds the network interface of a PCI device, whatever this kernel calls it. */
public final class PciInterface {

  private PciInterface() {}

  /**
   * The name of the interface that a device's driver made.
   *
   * @param sys where sysfs is, {@code /sys}
   * @param address of the PCI device, as in {@code 0000:81:00.0}
   * @return empty where there is no such device, or no driver of a network interface bound to it
   */
  public static Optional<String> find(Path sys, String address) throws IOException {
    Path device = sys.resolve("bus/pci/devices").resolve(address);
    if (!Files.isDirectory(device)) {
      return Optional.empty();
    }
    Optional<String> own = child(device.resolve("net"));
    if (own.isPresent()) {
      return own;
    }
    // virtio: the PCI device carries a virtio device, and that the interface.
    try (DirectoryStream<Path> children = Files.newDirectoryStream(device, "virtio*")) {
      for (Path virtio : children) {
        Optional<String> name = child(virtio.resolve("net"));
        if (name.isPresent()) {
          return name;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> child(Path net) throws IOException {
    if (!Files.isDirectory(net)) {
      return Optional.empty();
    }
    try (DirectoryStream<Path> names = Files.newDirectoryStream(net)) {
      for (Path name : names) {
        return Optional.of(name.getFileName().toString());
      }
    }
    return Optional.empty();
  }
}
