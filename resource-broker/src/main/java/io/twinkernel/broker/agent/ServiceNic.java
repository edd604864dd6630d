package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.net.PciInterface;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.broker.pci.PciAddress;
import io.twinkernel.broker.pci.PciDelegation;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinPort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The NIC that carries the service, on the kernel that has it. */
final class ServiceNic implements OutgoingNic {
  private static final Path RECORD = Path.of("/run/twin/service-interface");

  /** No machine has as many segments. */
  private static final String NO_FUNCTION = "ffff:ff:1f.7";

  private final TwinDevice device;
  private final String function;
  private final String name;
  private final String driver;
  private final InterfaceState state;
  private final TwinPort port;
  // Made here, and not in the gap: a lambda's first evaluation sets up its class.
  private final Undo.Step resume;
  private final Undo.Step rebind;
  private final Undo.Step letIn;
  private volatile boolean told;

  private ServiceNic(
      TwinDevice device,
      String function,
      String name,
      String driver,
      InterfaceState state,
      TwinPort port) {
    this.device = device;
    this.function = function;
    this.name = name;
    this.driver = driver;
    this.state = state;
    this.resume = () -> device.resumePci(function);
    this.rebind = this::rebind;
    this.port = port;
    this.letIn = () -> ServicePort.free(port);
  }

  /**
   * Finds the NIC and records how it is set up.
   *
   * @param function its PCI address
   */
  static ServiceNic capture(TwinDevice device, String function) throws IOException {
    String name = interfaceOf(function);
    try (var netlink = Rtnetlink.open()) {
      return new ServiceNic(
          device,
          function,
          name,
          PciDelegation.driver(function),
          netlink.state(name),
          device.port(netlink.link(name).index()));
    }
  }

  /** The calls are for a function that there is not. */
  @Override
  public void rehearse() {
    Refused.call(() -> device.suspendPci(NO_FUNCTION));
    Refused.call(() -> device.resumePci(NO_FUNCTION));
  }

  /** Notes how the interface is set up, for a broker that starts anew in the middle of a switch. */
  void record() throws IOException {
    Files.createDirectories(RECORD.getParent());
    Files.write(RECORD, state.toBytes());
  }

  /** The interface that a PCI function's driver made. */
  static String interfaceOf(String function) throws IOException {
    return interfaceOf(Path.of("/sys"), function);
  }

  /**
   * @param sys where sysfs is
   */
  static String interfaceOf(Path sys, String function) throws IOException {
    return PciInterface.find(sys, function)
        .orElseThrow(
            () -> new IOException("no network interface belongs to the PCI function " + function));
  }

  /** Addresses, routes and neighbours, for the other kernel. */
  InterfaceState state() {
    return state;
  }

  /** The bus it is on, as "0000:81". */
  String bus() {
    return PciAddress.bus(function);
  }

  /** What waits is lost with the interface, as if the network had lost it: it comes again. */
  @Override
  public void steady(Undo gap) {
    gap.push("letting in what waits", letIn);
    try {
      port.set(TwinPort.Mode.STEADY);
    } catch (SyscallException e) {
      // It is part of another, say. Where clients come and go it may take some attempts, then.
      KernelLog.say("connections begin and end until the gap: " + e.getMessage());
    }
  }

  /**
   * Stops the NIC for the other kernel. What it has received by then reaches the sockets; no packet
   * comes in or goes out after: what A acknowledged after the dump would be lost. Packets that
   * arrive meanwhile wait where the NIC can leave them.
   *
   * @param gap receives what takes the NIC back
   */
  @Override
  public void release(Undo gap) throws IOException {
    try {
      device.suspendPci(function);
      gap.push("taking the NIC back", resume);
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.EOPNOTSUPP)) {
        throw e;
      }
      // Its driver knows no hibernation: it has to go, and takes the interface with it.
      gap.push("taking the NIC back", rebind);
      try (var netlink = Rtnetlink.open()) {
        netlink.down(name);
      }
      PciDelegation.release(function);
    }
  }

  /** The NIC, or what is before it, may have no room. */
  @Override
  public boolean losesNothing() {
    return false;
  }

  @Override
  public String releaseName() {
    return "nic-release";
  }

  @Override
  public void tell(Peer peer) throws IOException {
    told = true;
    peer.link().send(FrameType.NIC_RELEASED, Stamp.now());
  }

  @Override
  public boolean withB() {
    return told;
  }

  /** What has come in waits in the NIC. */
  @Override
  public void forward() {}

  @Override
  public void left() {}

  /** Stops the NIC in this kernel, which will not need it again. */
  static void suspend(TwinDevice device, String function) throws IOException {
    try {
      device.suspendPci(function);
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.EOPNOTSUPP)) {
        throw e;
      }
      PciDelegation.release(function);
    }
  }

  /**
   * Takes the service's NIC back, whichever way it was released, and sets its interface up as
   * {@link #record} noted; where nothing is noted or to be taken back, does nothing.
   */
  static void recover(TwinDevice device, String function) throws IOException {
    try {
      device.resumePci(function);
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.ENOENT)) {
        throw e;
      }
    }
    if (Files.exists(RECORD)) {
      InterfaceState state = InterfaceState.fromBytes(Files.readAllBytes(RECORD));
      try (var netlink = Rtnetlink.open()) {
        netlink.apply(state, interfaceOf(function));
      }
      ServicePort.recover(device, function);
    }
  }

  private void rebind() throws IOException {
    if (PciDelegation.driver(function).isEmpty()) {
      PciDelegation.quiesce(function);
    }
    PciDelegation.restore(new PciDelegation.Released(function, driver));
    try (var netlink = Rtnetlink.open()) {
      netlink.apply(state, interfaceOf(function));
    }
  }
}
