package io.twinkernel.broker.agent;

import io.twinkernel.broker.net.InterfaceAddress;
import io.twinkernel.broker.net.InterfaceState;
import io.twinkernel.broker.net.LinkWatch;
import io.twinkernel.broker.net.Route;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.ffi.bindings.Netlink;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The dummy interface that holds the service's addresses and routes in B until the NIC is here:
 * sockets can be restored only where their address is local and their peer has a route. Its routes
 * are worse than any of the NIC's, so that they need not go when those come.
 */
final class StandInInterface {
  /** The dummy driver makes it when it is loaded. */
  private static final String NAME = "dummy0";

  /** The least preferred routes. */
  private static final int METRIC = Integer.MAX_VALUE;

  private static final int MAIN_TABLE = 254;

  /** A virtual NIC has one at once; a link that is trained anew takes seconds. */
  private static final Duration CARRIER = Duration.ofSeconds(5);

  private final InterfaceState state;
  private final Rtnetlink netlink;

  /** Hears of the NIC; closed after the gap. */
  private @Nullable LinkWatch links;

  /** The NIC's number, once it is prepared. */
  private int index;

  private StandInInterface(InterfaceState state, Rtnetlink netlink) {
    this.state = state;
    this.netlink = netlink;
  }

  static StandInInterface set(InterfaceState state) throws IOException {
    Rtnetlink netlink = Rtnetlink.open();
    try {
      netlink.apply(least(state), NAME);
      return new StandInInterface(state, netlink);
    } catch (IOException e) {
      netlink.close();
      throw e;
    }
  }

  /** Does to the stand-in once more what {@link #prepare} and {@link #replace} do to the NIC. */
  void rehearse() throws IOException {
    try (LinkWatch links = LinkWatch.open()) {
      InterfaceState least = least(state);
      int number = netlink.configure(least, NAME);
      netlink.activate(least, NAME, number);
      links.awaitCarrier(number, Duration.ZERO);
    }
  }

  /** Listens to what becomes of interfaces; the NIC is still to come. */
  void listen() throws IOException {
    if (links == null) {
      links = LinkWatch.open();
    }
  }

  /** Gives the NIC the addresses; it is down. */
  void prepare(String nic) throws IOException {
    index = netlink.configure(state, nic);
  }

  /**
   * Sets the NIC up, with its routes: packets come in by it from here on, and go out when this
   * returns. What is sent before its carrier is there would be lost, and not sent again before a
   * timer ends.
   *
   * @param nic which was prepared, after {@link #listen}
   */
  void replace(String nic, Steps steps) throws IOException {
    netlink.activate(state, nic, index);
    steps.done("link-up");
    LinkWatch listening = Objects.requireNonNull(links);
    if (state.up() && !listening.awaitCarrier(index, CARRIER)) {
      KernelLog.say(nic + " has no carrier after " + CARRIER.toSeconds() + " s");
    }
    steps.done("carrier");
  }

  /** The same addresses and ways, all by routes of {@link #METRIC}. */
  static InterfaceState least(InterfaceState state) {
    var addresses = new ArrayList<InterfaceAddress>();
    var routes = new ArrayList<Route>();
    for (InterfaceAddress address : state.addresses()) {
      addresses.add(address.withoutPrefixRoute());
      if (!address.noPrefixRoute()) {
        routes.add(
            new Route(
                (address.peer() == null ? address.address() : address.peer())
                    .network(address.prefix()),
                address.prefix(),
                address.address().wide(),
                null,
                null,
                MAIN_TABLE,
                METRIC,
                Netlink.RTPROT_STATIC(),
                address.address().wide() ? Netlink.RT_SCOPE_UNIVERSE() : Netlink.RT_SCOPE_LINK(),
                false));
      }
    }
    for (Route route : state.routes()) {
      routes.add(route.withMetric(METRIC));
    }
    return new InterfaceState(
        state.name(), state.mac(), state.mtu(), state.up(), addresses, routes, List.of());
  }

  /** Takes away what a broker before this one has left. */
  static void remove() throws IOException {
    try (var netlink = Rtnetlink.open()) {
      netlink.clear(NAME);
    }
  }

  /** Takes all of it away. */
  void clear() throws IOException {
    LinkWatch listening = links;
    links = null;
    try (netlink;
        listening) {
      netlink.clear(NAME);
    }
  }
}
