package io.twinkernel.broker.plan;

import io.twinkernel.broker.pci.PciAddress;
import java.util.List;

/**
 * A PCI function and who depends on it.
 *
 * @param address as in {@code 0000:81:00.0}
 * @param classCode three bytes: base class, subclass, interface; 0x060400 is a bridge
 * @param driver empty where none is bound
 * @param secondaryBus first bus behind a bridge; 0 for what is no bridge
 * @param subordinateBus last bus behind a bridge
 * @param iommu how its IOMMU group translates ({@code DMA}, {@code DMA-FQ}, {@code identity});
 *     empty where no IOMMU stands before it
 * @param interfaces network interfaces that it carries
 * @param uses what this kernel uses it for right now, in words; empty where nothing is lost with it
 */
public record PciFunction(
    String address,
    int classCode,
    String driver,
    int secondaryBus,
    int subordinateBus,
    String iommu,
    List<String> interfaces,
    List<String> uses) {

  /** Keeps the lists from changing. */
  public PciFunction {
    interfaces = List.copyOf(interfaces);
    uses = List.copyOf(uses);
  }

  /** Its bus, as in {@code 0000:81}. */
  public String bus() {
    return PciAddress.bus(address);
  }

  /** Its segment and bus as numbers: segment·256 + bus. */
  int busNumber() {
    return number(bus());
  }

  boolean leadsTo(int busNumber) {
    int segment = busNumber() & ~0xff;
    return secondaryBus != 0
        && secondaryBus <= subordinateBus
        && busNumber >= (segment | secondaryBus)
        && busNumber <= (segment | subordinateBus);
  }

  /** A bus's segment·256 + bus; -1 where the text is no bus. */
  static int number(String bus) {
    int colon = bus.indexOf(':');
    try {
      return bus.length() == 7 && colon == 4
          ? (Integer.parseInt(bus, 0, 4, 16) << 8) | Integer.parseInt(bus, 5, 7, 16)
          : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
