package io.twinkernel.broker.net;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Netlink;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What decides about packets besides addresses and routes, and does not move with an interface:
 * packet filters, and rules by which routes are looked for in other tables. Of this kernel's
 * current network namespace.
 */
public final class NetworkRules {
  /** Of linux/fib_rules.h and linux/netfilter/nfnetlink.h, in bytes. */
  private static final int FIB_RULE_HDR = 12;

  private static final int NFGENMSG = 4;

  /** What tables of the older filter are in use, one file for each of its programs. */
  private static final List<String> LEGACY =
      List.of("ip_tables_names", "ip6_tables_names", "arp_tables_names");

  /** The priority and table of those that a kernel has by itself: local, main, default. */
  private static final Set<List<Integer>> BY_ITSELF =
      Set.of(List.of(0, 255), List.of(32766, 254), List.of(32767, 253));

  /** How those are called by which CRIU keeps packets from what it dumps. */
  private static final String CRIU = "CRIU-";

  private static final Set<Integer> SELECTORS =
      Set.of(Netlink.FRA_FWMARK(), Netlink.FRA_IIFNAME(), Netlink.FRA_OIFNAME());

  private static final Set<Integer> FAMILIES = Set.of(Linux.AF_INET(), Linux.AF_INET6());

  private NetworkRules() {}

  /** All that there are, each in words. */
  public static List<String> read() throws IOException {
    var found = new ArrayList<String>();
    for (String file : LEGACY) {
      Optional<String> tables = SysFiles.readIfThere("/proc/self/net/" + file);
      for (String table : tables.orElse("").lines().toList()) {
        found.add(file.replace("_tables_names", "tables") + "' table " + table);
      }
    }
    nftables(found);
    routing(found);
    return List.copyOf(found);
  }

  private static void nftables(List<String> found) throws IOException {
    int subsystem = Netlink.NFNL_SUBSYS_NFTABLES() << 8;
    var request =
        new NetlinkRequest(
                "list nftables' tables",
                subsystem | Netlink.NFT_MSG_GETTABLE(),
                Netlink.NLM_F_REQUEST() | Netlink.NLM_F_DUMP())
            .u32(0); // any family
    try (NetlinkSocket netfilter = NetlinkSocket.open(Netlink.NETLINK_NETFILTER())) {
      for (NetlinkReply reply : netfilter.dump(request)) {
        String name = reply.text(NFGENMSG, Netlink.NFTA_TABLE_NAME());
        if (reply.type() == (subsystem | Netlink.NFT_MSG_NEWTABLE()) && !name.startsWith(CRIU)) {
          found.add("nftables' table " + name);
        }
      }
    } catch (NetlinkException e) {
      // This kernel has netfilter, but not nf_tables.
      if (!e.errno().equals(Errno.EINVAL) && !e.errno().equals(Errno.EOPNOTSUPP)) {
        throw e;
      }
    } catch (SyscallException e) {
      // Nor that.
      if (!e.errno().equals(Errno.EPROTONOSUPPORT)) {
        throw e;
      }
    }
  }

  private static void routing(List<String> found) throws IOException {
    var request =
        new NetlinkRequest(
            "list routing rules",
            Netlink.RTM_GETRULE(),
            Netlink.NLM_F_REQUEST() | Netlink.NLM_F_DUMP());
    for (int i = 0; i < FIB_RULE_HDR; i++) {
      request.u8(0); // any family
    }
    try (NetlinkSocket route = NetlinkSocket.open()) {
      for (NetlinkReply reply : route.dump(request)) {
        int priority = reply.number(FIB_RULE_HDR, Netlink.FRA_PRIORITY(), 0);
        int table = reply.number(FIB_RULE_HDR, Netlink.FRA_TABLE(), 0);
        boolean ofAll = reply.fixed8(1) == 0 && reply.fixed8(2) == 0 && !selects(reply);
        boolean byItself = ofAll && BY_ITSELF.contains(List.of(priority, table));
        if (FAMILIES.contains(reply.fixed8(0)) && !byItself) {
          found.add("routing rule " + priority + ", to table " + table);
        }
      }
    } catch (NetlinkException e) {
      // This kernel has no such rules.
      if (!e.errno().equals(Errno.EOPNOTSUPP)) {
        throw e;
      }
    }
  }

  /** By something else than addresses. */
  private static boolean selects(NetlinkReply reply) {
    boolean selects = false;
    for (int selector : SELECTORS) {
      selects |= reply.attribute(FIB_RULE_HDR, selector) != null;
    }
    return selects;
  }
}
