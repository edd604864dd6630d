package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.PciInterface;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.broker.pci.PciDelegation;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A NIC of the same kind as the service's, which this kernel has and does not use. Its driver takes
 * it and lets go of it before the gap: what it does in the gap, it does not do for the first time
 * then. Where there is none, the gap is longer by that.
 */
final class NicRehearsal {
  private static final Path SYS = Path.of("/sys");

  private final String function;
  private final PciDelegation.Released released;

  private NicRehearsal(String function, PciDelegation.Released released) {
    this.function = function;
    this.released = released;
  }

  /**
   * Takes such a NIC from its driver: its interface is not to have the name that the service's
   * gets.
   *
   * @param service the service's function
   * @return empty if there is none
   */
  static Optional<NicRehearsal> find(String service) throws IOException {
    for (String function : sameKind(SYS.resolve("bus/pci/devices"), service)) {
      Optional<String> name = PciInterface.find(SYS, function);
      if (name.isEmpty() || isUnused(name.get())) {
        return Optional.of(new NicRehearsal(function, PciDelegation.release(function)));
      }
    }
    return Optional.empty();
  }

  /**
   * Other functions of the same vendor, device and subsystem.
   *
   * @param devices a folder for each function, as sysfs has it
   */
  static List<String> sameKind(Path devices, String service) throws IOException {
    var found = new ArrayList<String>();
    if (Files.exists(devices.resolve(service))) {
      String kind = kind(devices.resolve(service));
      try (var entries = Files.newDirectoryStream(devices)) {
        for (Path entry : entries) {
          String function = entry.getFileName().toString();
          if (!function.equals(service) && kind(entry).equals(kind)) {
            found.add(function);
          }
        }
      }
      found.sort(null);
    }
    return List.copyOf(found);
  }

  private static String kind(Path device) throws IOException {
    var kind = new StringBuilder();
    for (String file : List.of("vendor", "device", "subsystem_vendor", "subsystem_device")) {
      kind.append(SysFiles.read(device.resolve(file).toString()));
    }
    return kind.toString();
  }

  private static boolean isUnused(String name) throws IOException {
    try (var netlink = Rtnetlink.open()) {
      return !netlink.link(name).up();
    }
  }

  /** Once: the driver takes it, it is set up and down, the driver lets go. It gets no address. */
  void run() throws IOException {
    PciDelegation.restore(released);
    try (var netlink = Rtnetlink.open()) {
      String name = ServiceNic.interfaceOf(function);
      netlink.up(name);
      netlink.down(name);
    } finally {
      PciDelegation.release(function);
    }
  }

  /** Gives it back to its driver. */
  void end() throws IOException {
    PciDelegation.restore(released);
  }
}
