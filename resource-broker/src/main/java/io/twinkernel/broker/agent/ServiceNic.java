package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.net.PciInterface;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.broker.pci.PciDelegation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The NIC that carries the service, on the kernel that has it. */
final class ServiceNic {
  private static final Path RECORD = Path.of("/run/twin/service-interface");

  private final String function;
  private final String name;
  private final String driver;
  private final InterfaceState state;

  private ServiceNic(String function, String name, String driver, InterfaceState state) {
    this.function = function;
    this.name = name;
    this.driver = driver;
    this.state = state;
  }

  /**
   * Finds the NIC and records how it is set up.
   *
   * @param function its PCI address
   */
  static ServiceNic capture(String function) throws IOException {
    String name = interfaceOf(function);
    try (var netlink = Rtnetlink.open()) {
      return new ServiceNic(function, name, PciDelegation.driver(function), netlink.state(name));
    }
  }

  /** Notes how the interface is set up, for a broker that starts anew in the middle of a switch. */
  void record() throws IOException {
    Files.createDirectories(RECORD.getParent());
    Files.write(RECORD, state.toBytes());
  }

  /**
   * Sets the service's interface up as {@link #record} noted; where nothing is noted, does nothing.
   */
  static void restoreRecorded(String function) throws IOException {
    if (Files.exists(RECORD)) {
      InterfaceState state = InterfaceState.fromBytes(Files.readAllBytes(RECORD));
      try (var netlink = Rtnetlink.open()) {
        netlink.apply(state, interfaceOf(function));
      }
    }
  }

  /** The interface that a PCI function's driver made. */
  static String interfaceOf(String function) throws IOException {
    return PciInterface.find(Path.of("/sys"), function)
        .orElseThrow(
            () -> new IOException("no network interface belongs to the PCI function " + function));
  }

  /** Addresses, routes and neighbours, for the other kernel. */
  InterfaceState state() {
    return state;
  }

  /** The bus it is on, as "0000:81". */
  String bus() {
    return function.substring(0, function.lastIndexOf(':'));
  }

  /**
   * Lets no packet in or out any more: what A acknowledged after the dump would be lost.
   *
   * @param gap receives what takes the NIC back
   */
  void down(Undo gap) throws IOException {
    gap.push("taking the NIC back", this::restore);
    try (var netlink = Rtnetlink.open()) {
      netlink.down(name);
    }
  }

  /** Lets go of the NIC. */
  void release() throws IOException {
    PciDelegation.release(function);
  }

  private void restore() throws IOException {
    if (PciDelegation.driver(function).isEmpty()) {
      PciDelegation.quiesce(function);
    }
    PciDelegation.restore(new PciDelegation.Released(function, driver));
    try (var netlink = Rtnetlink.open()) {
      netlink.apply(state, interfaceOf(function));
    }
  }
}
