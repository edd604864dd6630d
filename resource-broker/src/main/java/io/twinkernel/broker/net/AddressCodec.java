package io.twinkernel.broker.net;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Netlink;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Addresses as rtnetlink messages: {@code struct ifaddrmsg} and IFA_* attributes. */
final class AddressCodec {

  private static final int FIXED = 8;

  private AddressCodec() {}

  static void decode(NetlinkReply reply, int index, List<InterfaceAddress> into) {
    if (reply.type() != Netlink.RTM_NEWADDR() || reply.fixed32(4) != index) {
      return;
    }
    IpAddress other = reply.address(FIXED, Netlink.IFA_ADDRESS());
    IpAddress local = reply.address(FIXED, Netlink.IFA_LOCAL());
    IpAddress address = local == null ? other : local;
    if (address == null) {
      return;
    }
    int flags = reply.number(FIXED, Netlink.IFA_FLAGS(), reply.fixed8(2));
    byte[] lifetimes = reply.attribute(FIXED, Netlink.IFA_CACHEINFO());
    into.add(
        new InterfaceAddress(
            address,
            reply.fixed8(1),
            address.equals(other) ? null : other,
            reply.address(FIXED, Netlink.IFA_BROADCAST()),
            (flags & Netlink.IFA_F_NOPREFIXROUTE()) != 0,
            lifetimes == null ? -1 : NetlinkReply.number(lifetimes, 4),
            lifetimes == null ? -1 : NetlinkReply.number(lifetimes, 0)));
  }

  static NetlinkRequest add(InterfaceAddress address, String name, int index) {
    int flags = Netlink.NLM_F_CREATE() | Netlink.NLM_F_REPLACE();
    NetlinkRequest request =
        message("add " + address + " to " + name, Netlink.RTM_NEWADDR(), flags, address, index);
    int properties = address.noPrefixRoute() ? Netlink.IFA_F_NOPREFIXROUTE() : 0;
    // The address was ours a moment ago: nobody else has it.
    request.attribute(Netlink.IFA_FLAGS(), properties | Netlink.IFA_F_NODAD());
    attribute(request, Netlink.IFA_BROADCAST(), address.broadcast());
    // struct ifa_cacheinfo: preferred, valid, created, changed.
    request.u16(20).u16(Netlink.IFA_CACHEINFO());
    return request.u32(address.preferredSeconds()).u32(address.validSeconds()).u32(0).u32(0);
  }

  static NetlinkRequest remove(InterfaceAddress address, String name, int index) {
    String what = "remove " + address + " from " + name;
    return message(what, Netlink.RTM_DELADDR(), 0, address, index);
  }

  private static NetlinkRequest message(
      String what, int type, int flags, InterfaceAddress address, int index) {
    IpAddress own = address.address();
    IpAddress peer = address.peer();
    return new NetlinkRequest(what, type, Netlink.NLM_F_REQUEST() | Netlink.NLM_F_ACK() | flags)
        .u8(own.wide() ? Linux.AF_INET6() : Linux.AF_INET())
        .u8(address.prefix())
        .u8(0)
        .u8(Netlink.RT_SCOPE_UNIVERSE())
        .u32(index)
        .attribute(Netlink.IFA_LOCAL(), own.toBytes())
        .attribute(Netlink.IFA_ADDRESS(), (peer == null ? own : peer).toBytes());
  }

  private static void attribute(NetlinkRequest request, int type, @Nullable IpAddress value) {
    if (value != null) {
      request.attribute(type, value.toBytes());
    }
  }
}
