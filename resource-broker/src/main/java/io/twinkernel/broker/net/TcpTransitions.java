package io.twinkernel.broker.net;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Netlink;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;

/**
 * TCP connections of this kernel that are on their way from one state to another: no copy can have
 * them so. Asked for by sock_diag(7), which walks the kernel's table of connections in a fraction
 * of the time that {@code /proc/net/tcp} takes.
 */
public final class TcpTransitions {
  /** There is no event: the kernel tells nobody when a connection settles. */
  private static final long LOOK_EVERY_NANOS = 1_000_000;

  // enum of include/net/tcp_states.h.
  private static final int SYN_SENT = 2;
  private static final int SYN_RECV = 3;
  private static final int FIN_WAIT1 = 4;
  private static final int CLOSE_WAIT = 8;
  private static final int LAST_ACK = 9;
  private static final int LISTEN = 10;
  private static final int CLOSING = 11;

  private static final int ASKED_FOR =
      1 << SYN_SENT
          | 1 << SYN_RECV
          | 1 << FIN_WAIT1
          | 1 << CLOSE_WAIT
          | 1 << LAST_ACK
          | 1 << LISTEN
          | 1 << CLOSING;

  // struct inet_diag_sockid and inet_diag_msg of include/uapi/linux/inet_diag.h.
  private static final int SOCKET_ID = 48;
  private static final int STATE = 1;
  private static final int PORT = 4;
  private static final int SOURCE = 8;
  private static final int TARGET = 24;
  private static final int ADDRESS = 16;
  private static final int RECEIVED = 56;
  private static final int WRITTEN = 60;

  private TcpTransitions() {}

  /**
   * Waits until there is none in this thread's network namespace: nothing begins or ends any more
   * but what has begun or ended already.
   *
   * @param patience after which it is given up
   * @return whether there is none
   */
  public static boolean awaitNone(Duration patience) throws IOException {
    long deadline = System.nanoTime() + patience.toNanos();
    try (var netlink = NetlinkSocket.open(Netlink.NETLINK_SOCK_DIAG())) {
      boolean none = ports(netlink).isEmpty();
      while (!none && System.nanoTime() - deadline < 0) {
        LockSupport.parkNanos(LOOK_EVERY_NANOS);
        none = ports(netlink).isEmpty();
      }
      return none;
    }
  }

  /** The local ports of all that there are in this thread's network namespace. */
  public static Set<Integer> ports() throws IOException {
    try (var netlink = NetlinkSocket.open(Netlink.NETLINK_SOCK_DIAG())) {
      return ports(netlink);
    }
  }

  private static Set<Integer> ports(NetlinkSocket netlink) throws IOException {
    var ports = new TreeSet<Integer>();
    for (int family : new int[] {Linux.AF_INET(), Linux.AF_INET6()}) {
      for (NetlinkReply reply : netlink.dump(request(family))) {
        boolean within = isWithin(reply);
        if (isOnItsWay(
            reply.fixed8(STATE), reply.fixed32(RECEIVED), reply.fixed32(WRITTEN), within)) {
          ports.add(Integer.reverseBytes(reply.fixed16(PORT)) >>> Short.SIZE);
        }
      }
    }
    return ports;
  }

  /** With a {@code struct inet_diag_req_v2}. */
  private static NetlinkRequest request(int family) {
    var request =
        new NetlinkRequest(
                "asking for connections",
                Netlink.SOCK_DIAG_BY_FAMILY(),
                Netlink.NLM_F_REQUEST() | Netlink.NLM_F_DUMP())
            .u8(family)
            .u8(Linux.IPPROTO_TCP())
            .u16(0)
            .u32(ASKED_FOR);
    for (int left = SOCKET_ID; left > 0; left -= Integer.BYTES) {
      request.u32(0);
    }
    return request;
  }

  /** Whether both ends are on this machine. */
  private static boolean isWithin(NetlinkReply reply) {
    boolean one = true;
    for (int i = 0; i < ADDRESS; i += Integer.BYTES) {
      one &= reply.fixed32(SOURCE + i) == reply.fixed32(TARGET + i);
    }
    return one;
  }

  /**
   * @param received bytes that wait to be read, or connections that wait to be accepted
   * @param written bytes that have not been acknowledged
   * @param within whether both ends are on this machine
   */
  static boolean isOnItsWay(int state, int received, int written, boolean within) {
    return switch (state) {
      case SYN_SENT, SYN_RECV -> true;
      // Its process is to close it; a copy can have it, too, where the peer is another machine.
      case CLOSE_WAIT -> within;
      // What was written before the end may not have arrived.
      case FIN_WAIT1, LAST_ACK, CLOSING -> written != 0;
      case LISTEN -> received != 0;
      default -> false;
    };
  }
}
