package io.twinkernel.broker.pci;

import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Lets go of PCI functions so that another kernel can drive them, and takes them back. A function
 * that was let go is kept from every driver by {@code driver_override}
 * (Documentation/ABI/testing/sysfs-bus-pci) until it is taken back.
 */
public final class PciDelegation {
  private static final Path DEVICES = Path.of("/sys/bus/pci/devices");

  /** A name that no driver has. */
  private static final String NO_DRIVER = "twin-delegated";

  private PciDelegation() {}

  /**
   * A function that this kernel let go of.
   *
   * @param address as "0000:81:00.0"
   * @param driver what drove it, empty if nothing did
   */
  public record Released(String address, String driver) {}

  /**
   * The functions on a bus.
   *
   * @param bus as "0000:81"
   */
  public static List<String> functions(String bus) throws IOException {
    var found = new ArrayList<String>();
    try (var entries = Files.newDirectoryStream(DEVICES, bus + ":*")) {
      for (Path entry : entries) {
        found.add(entry.getFileName().toString());
      }
    }
    found.sort(null);
    return List.copyOf(found);
  }

  /** Whether this kernel has enumerated a bus, such as "0000:81". */
  public static boolean hasBus(String bus) {
    return Files.exists(Path.of("/sys/class/pci_bus", bus));
  }

  /** The driver of a function, empty if it has none. */
  public static String driver(String address) throws IOException {
    Path link = DEVICES.resolve(address).resolve("driver");
    return Files.isSymbolicLink(link) ? Files.readSymbolicLink(link).getFileName().toString() : "";
  }

  /** Keeps drivers from a function and takes it from the one that has it. */
  public static Released release(String address) throws IOException {
    String driver = driver(address);
    Path device = DEVICES.resolve(address);
    SysFiles.write(device.resolve("driver_override").toString(), NO_DRIVER);
    if (!driver.isEmpty()) {
      try {
        SysFiles.write(device.resolve("driver/unbind").toString(), address);
      } catch (SyscallException e) {
        SysFiles.write(device.resolve("driver_override").toString(), "\n");
        throw e;
      }
    }
    return new Released(address, driver);
  }

  /** Stops what another kernel's driver set going: no more DMA, then a reset where there is one. */
  public static void quiesce(String address) throws IOException {
    Path device = DEVICES.resolve(address);
    PciConfig.clearBusMaster(device.resolve("config").toString());
    if (Files.exists(device.resolve("reset"))) {
      SysFiles.write(device.resolve("reset").toString(), "1");
    }
  }

  /** Every function that this kernel let go of, also in an earlier life of this program. */
  public static List<String> released() throws IOException {
    var found = new ArrayList<String>();
    try (var entries = Files.newDirectoryStream(DEVICES)) {
      for (Path entry : entries) {
        String override = SysFiles.read(entry.resolve("driver_override").toString()).strip();
        if (override.equals(NO_DRIVER)) {
          found.add(entry.getFileName().toString());
        }
      }
    }
    return List.copyOf(found);
  }

  /** Lets the kernel choose a driver for a function that was let go of. */
  public static void reprobe(String address) throws IOException {
    SysFiles.write(DEVICES.resolve(address).resolve("driver_override").toString(), "\n");
    SysFiles.write("/sys/bus/pci/drivers_probe", address);
  }

  /** Gives a function back to the driver that had it. */
  public static void restore(Released released) throws IOException {
    Path device = DEVICES.resolve(released.address());
    SysFiles.write(device.resolve("driver_override").toString(), "\n");
    if (!released.driver().isEmpty() && driver(released.address()).isEmpty()) {
      SysFiles.write("/sys/bus/pci/drivers/" + released.driver() + "/bind", released.address());
    }
  }
}
