package io.twinkernel.broker.net;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Netlink;
import java.util.List;

/** Neighbours as rtnetlink messages: {@code struct ndmsg} and NDA_* attributes. */
final class NeighbourCodec {

  private static final int FIXED = 12;

  private NeighbourCodec() {}

  static void decode(NetlinkReply reply, int index, List<Neighbour> into) {
    int family = reply.fixed8(0);
    boolean address = family == Linux.AF_INET() || family == Linux.AF_INET6();
    if (reply.type() != Netlink.RTM_NEWNEIGH() || reply.fixed32(4) != index || !address) {
      return;
    }
    int known =
        Netlink.NUD_REACHABLE()
            | Netlink.NUD_STALE()
            | Netlink.NUD_DELAY()
            | Netlink.NUD_PROBE()
            | Netlink.NUD_PERMANENT();
    int state = reply.fixed16(8);
    IpAddress ip = reply.address(FIXED, Netlink.NDA_DST());
    byte[] mac = reply.attribute(FIXED, Netlink.NDA_LLADDR());
    if ((state & known) != 0 && ip != null && mac != null) {
      into.add(
          new Neighbour(
              ip,
              MacAddress.format(mac),
              (state & Netlink.NUD_PERMANENT()) != 0,
              (reply.fixed8(10) & Netlink.NTF_ROUTER()) != 0));
    }
  }

  static NetlinkRequest add(Neighbour neighbour, String name, int index) {
    return new NetlinkRequest(
            "add neighbour " + neighbour.address() + " on " + name,
            Netlink.RTM_NEWNEIGH(),
            Netlink.NLM_F_REQUEST()
                | Netlink.NLM_F_ACK()
                | Netlink.NLM_F_CREATE()
                | Netlink.NLM_F_REPLACE())
        .u8(neighbour.address().wide() ? Linux.AF_INET6() : Linux.AF_INET())
        .u8(0)
        .u16(0)
        .u32(index)
        .u16(neighbour.permanent() ? Netlink.NUD_PERMANENT() : Netlink.NUD_REACHABLE())
        .u8(neighbour.router() ? Netlink.NTF_ROUTER() : 0)
        .u8(0)
        .attribute(Netlink.NDA_DST(), neighbour.address().toBytes())
        .attribute(Netlink.NDA_LLADDR(), MacAddress.parse(neighbour.mac()));
  }
}
