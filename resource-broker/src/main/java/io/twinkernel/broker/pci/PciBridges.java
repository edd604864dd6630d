package io.twinkernel.broker.pci;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.acpi.Window;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Describes a bus behind a root port of this kernel as the host bridge of another one. */
public final class PciBridges {
  /** The first bridge window in a {@code resource} file; before it are BARs and the ROM. */
  private static final int FIRST_WINDOW = 7;

  /** IORESOURCE_IO, IORESOURCE_MEM and IORESOURCE_PREFETCH, linux/ioport.h. */
  private static final long IO = 0x100;

  private static final long MEM = 0x200;
  private static final long PREFETCH = 0x2000;

  private final Path devices;

  /**
   * @param devices /sys/bus/pci/devices
   */
  public PciBridges(Path devices) {
    this.devices = devices;
  }

  /** The bus behind each bridge as a host bridge; segment 0 only, as all that goes to a twin. */
  public List<HostBridge> all() throws IOException {
    var bridges = new ArrayList<HostBridge>();
    try (var entries = Files.newDirectoryStream(devices, "0000:*")) {
      for (Path entry : entries) {
        Path secondary = entry.resolve("secondary_bus_number");
        if (Files.exists(secondary) && number(secondary) != 0) {
          bridges.add(
              new HostBridge(
                  number(secondary),
                  number(entry.resolve("subordinate_bus_number")),
                  windows(Files.readAllLines(entry.resolve("resource")))));
        }
      }
    }
    bridges.sort(Comparator.comparingInt(HostBridge::startBus));
    return List.copyOf(bridges);
  }

  private static int number(Path file) throws IOException {
    return Integer.parseInt(Files.readString(file).strip());
  }

  /** Each line holds start, end and flags of one resource. */
  static List<Window> windows(List<String> resources) {
    var windows = new ArrayList<Window>();
    for (String line : resources.subList(FIRST_WINDOW, resources.size())) {
      String[] parts = line.split(" ", -1);
      long start = Long.decode(parts[0]);
      long end = Long.decode(parts[1]);
      long flags = Long.decode(parts[2]);
      if ((flags & MEM) != 0) {
        windows.add(
            (flags & PREFETCH) != 0 ? Window.prefetchable(start, end) : Window.memory(start, end));
      } else if ((flags & IO) != 0) {
        windows.add(Window.ports(start, end));
      }
    }
    return List.copyOf(windows);
  }
}
