package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.InterfaceAddress;
import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.net.Rtnetlink;
import java.io.IOException;

/**
 * The dummy interface that holds the service's addresses and routes in B until the NIC is here:
 * sockets can be restored only where their address is local and their peer has a route.
 */
final class StandInInterface {
  /** The dummy driver makes it when it is loaded. */
  private static final String NAME = "dummy0";

  private final InterfaceState state;

  private StandInInterface(InterfaceState state) {
    this.state = state;
  }

  static StandInInterface set(InterfaceState state) throws IOException {
    try (var netlink = Rtnetlink.open()) {
      netlink.apply(state, NAME);
    }
    return new StandInInterface(state);
  }

  /** Takes its routes away, so that the NIC's are the only ones. */
  void down(Rtnetlink netlink) throws IOException {
    netlink.down(NAME);
  }

  /** Takes the addresses away that it keeps while it is down. */
  void clear() throws IOException {
    try (var netlink = Rtnetlink.open()) {
      for (InterfaceAddress address : netlink.state(NAME).addresses()) {
        netlink.removeAddress(NAME, address);
      }
    }
  }

  InterfaceState state() {
    return state;
  }
}
