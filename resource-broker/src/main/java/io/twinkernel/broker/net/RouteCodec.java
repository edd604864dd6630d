package io.twinkernel.broker.net;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Netlink;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Routes as rtnetlink messages: {@code struct rtmsg} and RTA_* attributes. */
final class RouteCodec {

  private static final int FIXED = 12;

  private RouteCodec() {}

  static void decode(NetlinkReply reply, int index, List<Route> into) throws IOException {
    if (reply.type() != Netlink.RTM_NEWROUTE() || reply.fixed8(7) != Netlink.RTN_UNICAST()) {
      return;
    }
    int family = reply.fixed8(0);
    boolean cloned = (reply.fixed32(8) & Netlink.RTM_F_CLONED()) != 0;
    boolean automatic = reply.fixed8(5) == Netlink.RTPROT_KERNEL();
    if (cloned || automatic || (family != Linux.AF_INET() && family != Linux.AF_INET6())) {
      return;
    }
    IpAddress destination = reply.address(FIXED, Netlink.RTA_DST());
    byte[] hops = reply.attribute(FIXED, Netlink.RTA_MULTIPATH());
    if (hops != null && leadsThrough(hops, index)) {
      throw new IOException(
          "route to "
              + (destination == null ? "default" : destination)
              + " has several ways, one of them through this interface: it cannot move with it;"
              + " replace it by a route with one way");
    }
    if (reply.number(FIXED, Netlink.RTA_OIF(), 0) != index) {
      return;
    }
    into.add(
        new Route(
            destination,
            reply.fixed8(1),
            family == Linux.AF_INET6(),
            gateway(reply),
            reply.address(FIXED, Netlink.RTA_PREFSRC()),
            reply.number(FIXED, Netlink.RTA_TABLE(), reply.fixed8(4)),
            reply.number(FIXED, Netlink.RTA_PRIORITY(), 0),
            reply.fixed8(5),
            reply.fixed8(6),
            (reply.fixed32(8) & Netlink.RTNH_F_ONLINK()) != 0));
  }

  static NetlinkRequest add(Route route, String name, int index) {
    int table = route.table();
    NetlinkRequest request =
        new NetlinkRequest(
                "add route " + route + " through " + name,
                Netlink.RTM_NEWROUTE(),
                Netlink.NLM_F_REQUEST()
                    | Netlink.NLM_F_ACK()
                    | Netlink.NLM_F_CREATE()
                    | Netlink.NLM_F_REPLACE())
            .u8(route.wide() ? Linux.AF_INET6() : Linux.AF_INET())
            .u8(route.prefix())
            .u8(0) // source prefix
            .u8(0) // TOS
            .u8(table < 256 ? table : Netlink.RT_TABLE_UNSPEC())
            .u8(route.protocol())
            .u8(route.scope())
            .u8(Netlink.RTN_UNICAST())
            .u32(route.onLink() ? Netlink.RTNH_F_ONLINK() : 0)
            .attribute(Netlink.RTA_TABLE(), table)
            .attribute(Netlink.RTA_OIF(), index);
    if (route.metric() != 0) {
      request.attribute(Netlink.RTA_PRIORITY(), route.metric());
    }
    attribute(request, Netlink.RTA_DST(), route.destination());
    attribute(request, Netlink.RTA_PREFSRC(), route.source());
    IpAddress gateway = route.gateway();
    if (gateway != null && gateway.wide() != route.wide()) {
      request.attribute(Netlink.RTA_VIA(), via(gateway));
    } else {
      attribute(request, Netlink.RTA_GATEWAY(), gateway);
    }
    return request;
  }

  /** {@code struct rtvia}: a gateway of the other family. */
  private static byte[] via(IpAddress gateway) {
    byte[] address = gateway.toBytes();
    byte[] via = new byte[2 + address.length];
    via[0] = (byte) (gateway.wide() ? Linux.AF_INET6() : Linux.AF_INET());
    System.arraycopy(address, 0, via, 2, address.length);
    return via;
  }

  private static @Nullable IpAddress gateway(NetlinkReply reply) {
    byte[] via = reply.attribute(FIXED, Netlink.RTA_VIA());
    if (via == null) {
      return reply.address(FIXED, Netlink.RTA_GATEWAY());
    }
    byte[] address = new byte[via.length - 2];
    System.arraycopy(via, 2, address, 0, address.length);
    return IpAddress.of(address);
  }

  /** A list of {@code struct rtnexthop}: length, flags, hops, interface, attributes. */
  private static boolean leadsThrough(byte[] hops, int index) {
    for (int at = 0; at + 8 <= hops.length; ) {
      if (NetlinkReply.number(hops, at + 4) == index) {
        return true;
      }
      int length = (hops[at] & 0xff) | (hops[at + 1] & 0xff) << 8;
      at += Math.max(8, (length + 3) & ~3);
    }
    return false;
  }

  private static void attribute(NetlinkRequest request, int type, @Nullable IpAddress value) {
    if (value != null) {
      request.attribute(type, value.toBytes());
    }
  }
}
