package io.twinkernel.broker.net;

import io.twinkernel.broker.pci.ClassDevices;
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
  public static Optional<String> find(Path sys, String address) {
    return ClassDevices.find(sys, address, "net").map(net -> net.getFileName().toString());
  }
}
