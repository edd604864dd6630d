package io.twinkernel.ffi;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.Netlink;
import io.twinkernel.ffi.bindings.ifinfomsg;
import io.twinkernel.ffi.bindings.nlmsghdr;
import io.twinkernel.ffi.bindings.rtattr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SocketsTest {
  @TempDir Path folder;

  private final Arena arena = Arena.ofAuto();

  @Test
  void seqpacketKeepsMessagesApart() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_SEQPACKET());
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      Sockets.send(first, arena.allocate(3), 0);
      Sockets.send(first, arena.allocate(5), 0);
      MemorySegment buffer = arena.allocate(64);

      assertThat(Sockets.recv(second, buffer, 0)).isEqualTo(3);
      assertThat(Sockets.recv(second, buffer.asSlice(0, 2), Linux.MSG_TRUNC())).isEqualTo(5);
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> Sockets.recv(second, buffer, Linux.MSG_DONTWAIT()))
          .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EAGAIN));
    }
  }

  @Test
  void aPeerThatIsGoneIsEpipeAndThenTheEnd() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_STREAM());
    pair.second().close();
    try (Fd first = pair.first()) {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> Sockets.send(first, arena.allocate(1), 0))
          .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EPIPE));
      assertThat(Sockets.recv(first, arena.allocate(1), 0)).isZero();
    }
  }

  @Test
  void connectsToAServer() throws Exception {
    Path path = folder.resolve("server.sock");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        Fd client = Sockets.socket(Linux.AF_UNIX(), Linux.SOCK_STREAM(), 0)) {
      server.bind(UnixDomainSocketAddress.of(path));

      Sockets.connectUnix(client, path.toString());

      client.write(arena.allocateFrom("hi").asSlice(0, 2));
      try (SocketChannel peer = server.accept()) {
        ByteBuffer received = ByteBuffer.allocate(2);
        while (received.hasRemaining()) {
          peer.read(received);
        }
        assertThat(new String(received.array(), UTF_8)).isEqualTo("hi");
      }
    }
  }

  @Test
  void aServerThatIsNotThereSaysWhy() throws Exception {
    String path = folder.resolve("server.sock").toString();
    try (Fd client = Sockets.socket(Linux.AF_UNIX(), Linux.SOCK_SEQPACKET(), 0)) {
      assertConnectFails(client, path, Errno.ENOENT);
      try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
        server.bind(UnixDomainSocketAddress.of(path));
        assertConnectFails(client, path, Errno.EPROTOTYPE);
      }
      assertConnectFails(client, path, Errno.ECONNREFUSED);
      assertConnectFails(client, "/" + "x".repeat(107), Errno.ENAMETOOLONG);
      assertConnectFails(client, "/" + "x".repeat(106), Errno.ENOENT);
    }
  }

  private static void assertConnectFails(Fd client, String path, Errno errno) {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Sockets.connectUnix(client, path))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(errno))
        .withMessageStartingWith("connect(" + path + "): " + errno.name());
  }

  @Test
  void anUnknownFamilyIsRefused() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Sockets.socket(9999, Linux.SOCK_STREAM(), 0))
        .satisfies(failure -> assertThat(failure.errno().name()).isEqualTo("EAFNOSUPPORT"));
  }

  @Test
  void anOptionIsSet() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_SEQPACKET());
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      Sockets.option(first, Linux.SOL_SOCKET(), Linux.SO_SNDBUF(), 4096);

      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> Sockets.send(first, arena.allocate(65536), 0))
          .satisfies(failure -> assertThat(failure.errno().name()).isEqualTo("EMSGSIZE"));
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> Sockets.option(second, Linux.SOL_SOCKET(), 9999, 1))
          .satisfies(failure -> assertThat(failure.errno().name()).isEqualTo("ENOPROTOOPT"));
    }
  }

  /** Asks the kernel for the loopback interface, which has index 1 in every network namespace. */
  @Test
  void netlinkAnswers() throws Exception {
    try (Fd netlink =
        Sockets.socket(Linux.AF_NETLINK(), Linux.SOCK_RAW(), Netlink.NETLINK_ROUTE())) {
      Sockets.bindNetlink(netlink);
      Sockets.option(netlink, Linux.SOL_NETLINK(), Netlink.NETLINK_EXT_ACK(), 1);
      long header = nlmsghdr.layout().byteSize();
      long link = ifinfomsg.layout().byteSize();
      MemorySegment request = arena.allocate(header + link, 4);
      nlmsghdr.nlmsg_len(request, (int) request.byteSize());
      nlmsghdr.nlmsg_type(request, (short) Netlink.RTM_GETLINK());
      nlmsghdr.nlmsg_flags(request, (short) Netlink.NLM_F_REQUEST());
      nlmsghdr.nlmsg_seq(request, 7);
      ifinfomsg.ifi_index(request.asSlice(header), 1);

      Sockets.send(netlink, request, 0);
      MemorySegment reply = arena.allocate(16384, 4);
      int size = Sockets.recv(netlink, reply, 0);

      assertThat(nlmsghdr.nlmsg_type(reply)).isEqualTo((short) Netlink.RTM_NEWLINK());
      assertThat(nlmsghdr.nlmsg_seq(reply)).isEqualTo(7);
      MemorySegment lo = reply.asSlice(header);
      assertThat(ifinfomsg.ifi_index(lo)).isEqualTo(1);
      assertThat(ifinfomsg.ifi_flags(lo) & Netlink.IFF_LOOPBACK()).isNotZero();
      assertThat(name(reply.asSlice(header + link, size - header - link))).isEqualTo("lo");
    }
  }

  private static String name(MemorySegment attributes) {
    long offset = 0;
    while (offset < attributes.byteSize()) {
      MemorySegment attribute = attributes.asSlice(offset);
      if (rtattr.rta_type(attribute) == Netlink.IFLA_IFNAME()) {
        return attribute.getString(rtattr.layout().byteSize());
      }
      offset += (rtattr.rta_len(attribute) + 3) & ~3;
    }
    return "no name";
  }
}
