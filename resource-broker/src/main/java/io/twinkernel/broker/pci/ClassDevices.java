package io.twinkernel.broker.pci;

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
  public static Optional<Path> find(Path sys, String function, String name) {
    Path device = sys.resolve("bus/pci/devices").resolve(function);
    Optional<Path> own = child(device.resolve(name));
    if (own.isPresent()) {
      return own;
    }
    // virtio: the PCI device carries a virtio device, and that the one of the class.
    for (String child : names(device)) {
      if (child.startsWith("virtio")) {
        Optional<Path> found = child(device.resolve(child).resolve(name));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Path> child(Path folder) {
    String[] names = names(folder);
    return names.length == 0 ? Optional.empty() : Optional.of(folder.resolve(names[0]));
  }

  /**
   * What is in a folder, nothing if there is none. Not by a directory stream: this is a part of the
   * gap, and a stream's pattern is made a regular expression.
   */
  private static String[] names(Path folder) {
    String[] names = folder.toFile().list();
    return names == null ? new String[0] : names;
  }
}
