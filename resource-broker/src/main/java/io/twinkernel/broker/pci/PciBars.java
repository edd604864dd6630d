package io.twinkernel.broker.pci;

import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.PciBar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The base address registers of buses, which another kernel cannot ask the functions for while they
 * work: it would have to write to them.
 */
public final class PciBars {
  private static final int BARS = 6;
  private static final int BRIDGE_BARS = 2;

  /** Its place among the resources (PCI_ROM_RESOURCE). */
  private static final int ROM = 6;

  private static final int FIRST_REGISTER = 0x10;
  private static final int ROM_REGISTER = 0x30;
  private static final int BRIDGE_ROM_REGISTER = 0x38;

  /** IORESOURCE_MEM_64, linux/ioport.h. */
  private static final long WIDE = 0x100000;

  private PciBars() {}

  /**
   * Of all functions behind a bridge.
   *
   * @param devices /sys/bus/pci/devices
   * @return empty if one of them has virtual functions, whose registers are not in sysfs
   */
  public static Optional<List<PciBar>> behind(Path devices, HostBridge bridge) throws IOException {
    var bars = new ArrayList<PciBar>();
    try (var entries = Files.newDirectoryStream(devices, "0000:*")) {
      for (Path entry : entries) {
        String address = entry.getFileName().toString();
        int bus = Integer.parseInt(address, 5, 7, 16);
        if (bus < bridge.startBus() || bus > bridge.endBus()) {
          continue;
        }
        if (Files.exists(entry.resolve("sriov_totalvfs"))) {
          return Optional.empty();
        }
        boolean leads = Files.exists(entry.resolve("secondary_bus_number"));
        int function =
            bus << 8
                | Integer.parseInt(address, 8, 10, 16) << 3
                | Integer.parseInt(address, 11, 12, 16);
        bars.addAll(parse(function, leads, Files.readAllLines(entry.resolve("resource"))));
      }
    }
    return Optional.of(List.copyOf(bars));
  }

  /** Each line in sysfs holds start, end and flags; zeros are no resource. */
  static List<PciBar> parse(int function, boolean bridge, List<String> resources) {
    var bars = new ArrayList<PciBar>();
    for (int i = 0; i <= ROM && i < resources.size(); i++) {
      String[] parts = resources.get(i).split(" ", -1);
      long start = Long.decode(parts[0]);
      long end = Long.decode(parts[1]);
      long flags = Long.decode(parts[2]);
      if (flags == 0 || end <= start || (i < ROM && i >= (bridge ? BRIDGE_BARS : BARS))) {
        continue;
      }
      int rom = bridge ? BRIDGE_ROM_REGISTER : ROM_REGISTER;
      int register = i == ROM ? rom : FIRST_REGISTER + 4 * i;
      bars.add(new PciBar(function, register, (flags & WIDE) != 0, end - start + 1));
    }
    return List.copyOf(bars);
  }

  /** For {@link #fromJson}. */
  public static List<Map<String, Object>> toJson(List<PciBar> bars) {
    return bars.stream()
        .map(
            bar ->
                Map.<String, Object>of(
                    "function", bar.function(),
                    "register", bar.register(),
                    "wide", bar.wide(),
                    "bytes", bar.bytes()))
        .toList();
  }

  /** The opposite of {@link #toJson}. */
  public static List<PciBar> fromJson(List<Fields> bars) throws IOException {
    var read = new ArrayList<PciBar>();
    for (Fields bar : bars) {
      read.add(
          new PciBar(
              Math.toIntExact(bar.number("function")),
              Math.toIntExact(bar.number("register")),
              bar.flag("wide"),
              bar.number("bytes")));
    }
    return List.copyOf(read);
  }
}
