package io.twinkernel.broker.pci;

/** Addresses of PCI functions, such as "0000:81:00.0": segment, bus, device and function. */
public final class PciAddress {
  private PciAddress() {}

  /** The bus of a function, as "0000:81". */
  public static String bus(String function) {
    return function.substring(0, function.lastIndexOf(':'));
  }
}
