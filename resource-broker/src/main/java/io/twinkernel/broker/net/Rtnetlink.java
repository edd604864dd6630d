package io.twinkernel.broker.net;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Netlink;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads and changes the configuration of network interfaces of this kernel's current network
 * namespace.
 *
 * <p>Not for use by two threads at once.
 */
public final class Rtnetlink implements AutoCloseable {

  private static final int LINK_FIXED = 16; // struct ifinfomsg
  private static final int IF_OPER_UP = 6; // linux/if.h
  private static final int ACKNOWLEDGED = Netlink.NLM_F_REQUEST() | Netlink.NLM_F_ACK();

  private final NetlinkSocket socket;

  private Rtnetlink(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** Opens the kernel's side; one serves for any number of questions and changes. */
  public static Rtnetlink open() throws IOException {
    return new Rtnetlink(NetlinkSocket.open());
  }

  /**
   * What an interface is.
   *
   * @param index its number
   * @param mac as in {@code 52:54:00:12:34:56}; empty for none
   * @param mtu in bytes
   * @param up whether it is administratively up
   * @param carrier whether it has a carrier
   * @param operational whether the kernel has noticed that carrier, and set its queues to work
   */
  public record Link(
      int index, String mac, int mtu, boolean up, boolean carrier, boolean operational) {

    /** As a message of type RTM_NEWLINK says it. */
    static Link of(NetlinkReply reply) {
      byte[] mac = reply.attribute(LINK_FIXED, Netlink.IFLA_ADDRESS());
      byte[] state = reply.attribute(LINK_FIXED, Netlink.IFLA_OPERSTATE());
      int flags = reply.fixed32(8);
      return new Link(
          reply.fixed32(4),
          mac == null ? "" : MacAddress.format(mac),
          reply.number(LINK_FIXED, Netlink.IFLA_MTU(), 0),
          (flags & Netlink.IFF_UP()) != 0,
          (flags & Netlink.IFF_LOWER_UP()) != 0,
          state != null && state.length == 1 && state[0] == IF_OPER_UP);
    }
  }

  /** An interface; ENODEV where there is none of that name. */
  public Link link(String name) throws IOException {
    return Link.of(
        socket.ask(
            link("look at interface " + name, Netlink.RTM_GETLINK(), 0, 0, 0)
                .attribute(Netlink.IFLA_IFNAME(), name)));
  }

  /**
   * How an interface is configured.
   *
   * @throws IOException also if a multipath route goes through it: such a route cannot move with
   *     one of its interfaces
   */
  public InterfaceState state(String name) throws IOException {
    Link link = link(name);
    List<InterfaceAddress> addresses = new ArrayList<>();
    for (NetlinkReply reply : dump("list addresses", Netlink.RTM_GETADDR(), 8)) {
      AddressCodec.decode(reply, link.index(), addresses);
    }
    List<Route> routes = new ArrayList<>();
    for (NetlinkReply reply : dump("list routes", Netlink.RTM_GETROUTE(), 12)) {
      RouteCodec.decode(reply, link.index(), routes);
    }
    List<Neighbour> neighbours = new ArrayList<>();
    for (NetlinkReply reply : dump("list neighbours", Netlink.RTM_GETNEIGH(), 12)) {
      NeighbourCodec.decode(reply, link.index(), neighbours);
    }
    return new InterfaceState(
        name, link.mac(), link.mtu(), link.up(), addresses, routes, neighbours);
  }

  /**
   * Gives an interface the configuration of another: MTU, addresses (without duplicate address
   * detection), up, routes, neighbours as freshly confirmed. What it has besides stays. Doing it
   * twice does no harm.
   *
   * @param state of the other one; its MAC address is not applied
   * @param name the interface that gets it
   */
  public void apply(InterfaceState state, String name) throws IOException {
    activate(state, name, configure(state, name));
  }

  /**
   * The first part of {@link #apply}: the MTU and the addresses. The interface may be down.
   *
   * @return its number
   */
  public int configure(InterfaceState state, String name) throws IOException {
    int index = link(name).index();
    String on = " on " + name;
    List<NetlinkRequest> changes = new ArrayList<>();
    changes.add(
        link("set the MTU" + on, Netlink.RTM_NEWLINK(), index, 0, 0)
            .attribute(Netlink.IFLA_MTU(), state.mtu()));
    for (InterfaceAddress address : state.addresses()) {
      changes.add(AddressCodec.add(address, name, index));
    }
    socket.change(changes);
    return index;
  }

  /**
   * The rest of {@link #apply}: up, routes and neighbours, where the other one was up.
   *
   * @param index the interface's number, as {@link #configure} told it
   */
  public void activate(InterfaceState state, String name, int index) throws IOException {
    if (!state.up()) {
      return;
    }
    List<NetlinkRequest> changes = new ArrayList<>();
    changes.add(upDown(name, index, true));
    for (Route route : state.routes()) {
      changes.add(RouteCodec.add(route, name, index));
    }
    for (Neighbour neighbour : state.neighbours()) {
      changes.add(NeighbourCodec.add(neighbour, name, index));
    }
    socket.change(changes);
  }

  /**
   * Gives an interface, which is down, the identity of another.
   *
   * @param mac as in {@code 52:54:00:12:34:56}; empty leaves it
   * @param mtu in bytes
   */
  public void identify(String name, String mac, int mtu) throws IOException {
    NetlinkRequest change =
        link("set MAC and MTU on " + name, Netlink.RTM_NEWLINK(), link(name).index(), 0, 0)
            .attribute(Netlink.IFLA_MTU(), mtu);
    socket.change(
        List.of(
            mac.isEmpty()
                ? change
                : change.attribute(Netlink.IFLA_ADDRESS(), MacAddress.parse(mac))));
  }

  /** Sets an interface up. */
  public void up(String name) throws IOException {
    socket.change(List.of(upDown(name, link(name).index(), true)));
  }

  /**
   * Sets an interface down. The kernel then forgets its routes and neighbours, and its IPv6
   * addresses.
   */
  public void down(String name) throws IOException {
    socket.change(List.of(upDown(name, link(name).index(), false)));
  }

  /** Sets an interface down and takes all of its addresses; routes go with them. */
  public void clear(String name) throws IOException {
    down(name);
    // The first address of a network takes the others with it.
    for (InterfaceAddress address : state(name).addresses().reversed()) {
      removeAddress(name, address);
    }
  }

  /** Adds an address; where the interface has it, its properties are changed. */
  public void addAddress(String name, InterfaceAddress address) throws IOException {
    socket.change(List.of(AddressCodec.add(address, name, link(name).index())));
  }

  /** Removes an address; EADDRNOTAVAIL where the interface does not have it. */
  public void removeAddress(String name, InterfaceAddress address) throws IOException {
    socket.change(List.of(AddressCodec.remove(address, name, link(name).index())));
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private List<NetlinkReply> dump(String what, int type, int fixed) throws IOException {
    NetlinkRequest request =
        new NetlinkRequest(what, type, Netlink.NLM_F_REQUEST() | Netlink.NLM_F_DUMP());
    for (int i = 0; i < fixed; i++) {
      request.u8(0); // any family, any interface
    }
    return socket.dump(request);
  }

  private static NetlinkRequest upDown(String name, int index, boolean up) {
    int flag = Netlink.IFF_UP();
    return link(
        "set " + name + (up ? " up" : " down"), Netlink.RTM_NEWLINK(), index, up ? flag : 0, flag);
  }

  /** {@code struct ifinfomsg}: family, padding, type, index, flags, which flags to change. */
  private static NetlinkRequest link(String what, int type, int index, int flags, int change) {
    return new NetlinkRequest(what, type, ACKNOWLEDGED)
        .u8(Linux.AF_UNSPEC())
        .u8(0)
        .u16(0)
        .u32(index)
        .u32(flags)
        .u32(change);
  }
}
