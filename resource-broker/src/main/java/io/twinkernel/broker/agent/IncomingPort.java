package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.net.LinkWatch;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinPort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * An interface of B's own in the service's network. Before the gap it has all that the service's
 * has in A: MAC and IP addresses, routes, a carrier. It is silent until the commit, so that the
 * network knows only A's; then switches learn from what it sends where the address is now.
 */
final class IncomingPort implements IncomingNic {
  /** A virtual NIC has one at once; a link that is trained takes seconds. */
  private static final Duration CARRIER = Duration.ofSeconds(10);

  /** No IPv6 address that nobody asked for: nothing is to be sent before it is silent. */
  private static final String NO_LINK_LOCAL = "1";

  private final TwinPort port;
  private final TwinPort none;
  private final String function;
  private final String name;
  private final Rtnetlink.Link before;

  private IncomingPort(
      TwinPort port, TwinPort none, String function, String name, Rtnetlink.Link before) {
    this.function = function;
    this.port = port;
    this.none = none;
    this.name = name;
    this.before = before;
  }

  /**
   * Sets an interface up as the service's is, and silent.
   *
   * @param function PCI address of its NIC, which nobody uses
   * @param state of the service's
   */
  static IncomingPort set(TwinDevice device, String function, InterfaceState state)
      throws IOException {
    String name = ServiceNic.interfaceOf(function);
    try (var netlink = Rtnetlink.open();
        var links = LinkWatch.open()) {
      Rtnetlink.Link before = netlink.link(name);
      if (before.up()) {
        throw new IOException(name + " is in use, and the service was to go over to it");
      }
      TwinPort port = device.port(before.index());
      var coming = new IncomingPort(port, ServicePort.none(device), function, name, before);
      try {
        linkLocal(name, NO_LINK_LOCAL);
        netlink.identify(name, state.mac(), state.mtu());
        netlink.up(name);
        if (!links.awaitCarrier(before.index(), CARRIER)) {
          throw new IOException(name + " has no carrier after " + CARRIER.toSeconds() + " s");
        }
        port.set(TwinPort.Mode.DISCARD);
        netlink.apply(state, name);
        return coming;
      } catch (IOException e) {
        coming.abandon();
        throw e;
      }
    }
  }

  /** Whether an interface makes itself an IPv6 address; where there is no IPv6, nothing. */
  private static void linkLocal(String name, String mode) throws IOException {
    Path file = Path.of("/proc/sys/net/ipv6/conf", name, "addr_gen_mode");
    if (Files.exists(file)) {
      Files.writeString(file, mode);
    }
  }

  /** The PCI address of its NIC. */
  String function() {
    return function;
  }

  @Override
  public void rehearse() throws IOException {
    ServicePort.refuse(none);
  }

  /** Its driver has it. */
  @Override
  public void practise() {}

  @Override
  public void getReady() {}

  /** It always is. */
  @Override
  public void requireHere() {}

  @Override
  public void open(Steps steps) throws IOException {
    port.set(TwinPort.Mode.OPEN);
    steps.done("port-open");
  }

  @Override
  public void announce() throws IOException {
    port.set(TwinPort.Mode.ANNOUNCE);
  }

  @Override
  public void give(byte[] frames) throws IOException {
    port.give(frames);
  }

  /** A has its own. */
  @Override
  public void letGo() {}

  @Override
  public void cleanUp() {}

  @Override
  public void abandon() throws IOException {
    try (var netlink = Rtnetlink.open()) {
      // Whoever goes on has the addresses elsewhere, where A has panicked on A's NIC.
      netlink.clear(name);
      ServicePort.free(port);
      netlink.identify(name, before.mac(), before.mtu());
      linkLocal(name, "0");
    }
  }
}
