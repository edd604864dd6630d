package io.twinkernel.broker.pci;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What the driver of a PCI function made of it: a network interface, a disk. */
public final class ClassDevices {
  private ClassDevices() {}

  /**
   * The first device of a class that a function's driver made.
   *
   * @param sys where sysfs is, {@code /sys}
   * @param function its PCI address, as in {@code 0000:81:00.0}
   * @param name of the class: {@code net}, {@code block}
   * @return its directory; empty where there is no such function, or no driver of that class
   */
  public static Optional<Path> find(Path sys, String function, String name) throws IOException {
    Path device = sys.resolve("bus/pci/devices").resolve(function);
    if (!Files.isDirectory(device)) {
      return Optional.empty();
    }
    Optional<Path> own = child(device.resolve(name));
    if (own.isPresent()) {
      return own;
    }
    // virtio: the PCI device carries a virtio device, and that the one of the class.
    try (DirectoryStream<Path> children = Files.newDirectoryStream(device, "virtio*")) {
      for (Path virtio : children) {
        Optional<Path> found = child(virtio.resolve(name));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Path> child(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return Optional.empty();
    }
    try (DirectoryStream<Path> devices = Files.newDirectoryStream(folder)) {
      for (Path device : devices) {
        return Optional.of(device);
      }
    }
    return Optional.empty();
  }
}
