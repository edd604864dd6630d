package io.twinkernel.broker.acpi;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The machine as the second kernel shall see it.
 *
 * @param tablesAddress physical address at which the tables will lie: page-aligned and below 4 GiB,
 *     because the address of an I/O APIC in the MADT has 32 bits
 * @param apicIds APIC ids of all CPUs, in the order in which the second kernel is to number them,
 *     but that the one it starts on is its number 0
 * @param ecamBase physical address of the PCI configuration space of segment 0, bus 0
 * @param bridges one for each delegated root port
 */
public record TwinMachine(
    long tablesAddress, List<Integer> apicIds, long ecamBase, List<HostBridge> bridges) {

  private static final long PAGE = 4096;
  private static final long FOUR_GIB = 1L << 32;

  /** Checks what the tables cannot express. */
  public TwinMachine {
    apicIds = List.copyOf(apicIds);
    bridges = List.copyOf(bridges);
    if (tablesAddress <= 0 || tablesAddress % PAGE != 0 || tablesAddress >= FOUR_GIB) {
      throw new IllegalArgumentException(
          "tables at 0x" + Long.toHexString(tablesAddress) + ": want a page below 4 GiB");
    }
    if (ecamBase <= 0 || ecamBase % (1L << 20) != 0) {
      throw new IllegalArgumentException(
          "ECAM at 0x" + Long.toHexString(ecamBase) + ": want a multiple of 1 MiB, not 0");
    }
    requireApicIds(apicIds);
    requireDisjoint(bridges);
  }

  private static void requireApicIds(List<Integer> apicIds) {
    Set<Integer> seen = new HashSet<>();
    for (int id : apicIds) {
      // 255 is the broadcast id of xAPIC: the kernel skips such an entry.
      if (id < 0 || id == 255 || !seen.add(id)) {
        throw new IllegalArgumentException("APIC id " + id + " is invalid or listed twice");
      }
    }
    if (apicIds.isEmpty()) {
      throw new IllegalArgumentException("no CPU is listed, not even the boot CPU");
    }
  }

  private static void requireDisjoint(List<HostBridge> bridges) {
    boolean[] taken = new boolean[256];
    for (HostBridge bridge : bridges) {
      for (int bus = bridge.startBus(); bus <= bridge.endBus(); bus++) {
        if (taken[bus]) {
          throw new IllegalArgumentException("bus " + bus + " is behind two host bridges");
        }
        taken[bus] = true;
      }
    }
  }
}
