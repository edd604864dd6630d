package io.twinkernel.broker.acpi;

import java.util.List;

/**
 * What the second kernel is told about the PCI buses it gets: a host bridge of its own whose root
 * bus is the secondary bus of one of the first kernel's root ports.
 *
 * @param startBus the root port's secondary bus, 1 to 255
 * @param endBus the root port's subordinate bus, at least {@code startBus}
 * @param windows what the root port passes on; only addresses in them can be given to devices
 */
public record HostBridge(int startBus, int endBus, List<Window> windows) {

  /** Refuses bus numbers out of range. */
  public HostBridge {
    if (startBus < 1 || endBus < startBus || endBus > 255) {
      throw new IllegalArgumentException("buses " + startBus + "-" + endBus + " are not a range");
    }
    windows = List.copyOf(windows);
  }

  /** A bridge with a single bus behind it. */
  public static HostBridge of(int bus, Window... windows) {
    return new HostBridge(bus, bus, List.of(windows));
  }
}
