package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.tcp_repair_opt;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real connections, over the loopback interface, restored in the order in which CRIU does it. */
final class SegmentSizesTest {
  private static final int IPPROTO_IP = 0; // include/uapi/linux/in.h
  private static final int IP_OPTIONS = 4;
  private static final int TCPOPT_MSS = 2; // include/net/tcp.h

  private static final int RESTORED = 9;

  /**
   * By IPv4, by an IPv4 address in an IPv6 socket, and by IPv6.
   *
   * @param least what every host must take: TCP_MSS_DEFAULT, and IPV6_MIN_MTU without headers
   */
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1,127.0.0.1,AF_INET,536",
    "0.0.0.0,127.0.0.1,AF_INET6,536",
    "::1,::1,AF_INET6,1220",
  })
  void areWorkedOutAnew(String listening, String address, String family, int least)
      throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getByName(listening));
        var client = new Socket(InetAddress.getByName(address), listener.getLocalPort());
        Fd socket = restored(listener, client, family)) {
      assertThat(segment(socket)).isLessThanOrEqualTo(least);
      SegmentSizes.workOut(OwnSockets.PID);
      assertThat(segment(socket)).isGreaterThan(20_000);
      client.setSoTimeout(10_000);
      byte[] sent = "goes on".getBytes(US_ASCII);
      try (Arena arena = Arena.ofConfined()) {
        Sockets.send(socket, arena.allocateFrom(ValueLayout.JAVA_BYTE, sent), 0);
      }
      assertThat(client.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
    }
  }

  /** Options that a process has set stay as they are. */
  @Test
  void leavesOptionsAlone() throws Exception {
    byte[] nothing = {1, 1, 1, 0}; // IPOPT_NOOP, three times, and IPOPT_END
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var client = new Socket(listener.getInetAddress(), listener.getLocalPort());
        Fd socket = restored(listener, client, "AF_INET");
        Arena arena = Arena.ofConfined()) {
      Sockets.option(
          socket, IPPROTO_IP, IP_OPTIONS, arena.allocateFrom(ValueLayout.JAVA_BYTE, nothing));
      int before = segment(socket);
      SegmentSizes.workOut(socket);
      MemorySegment found = arena.allocate(40);
      int length = Sockets.read(socket, IPPROTO_IP, IP_OPTIONS, found);
      assertThat(found.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(nothing);
      assertThat(segment(socket)).isEqualTo(before);
    }
  }

  @Test
  void aProcessMayHaveEnded() throws Exception {
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    assertThatCode(() -> SegmentSizes.workOut((int) ended.pid())).doesNotThrowAnyException();
  }

  /** The accepted end, out of the kernel and into it again. */
  private static Fd restored(ServerSocket listener, Socket client, String family)
      throws IOException {
    TcpState state;
    try (Socket _ = listener.accept();
        Fd socket = OwnSockets.find(client)) {
      state = TcpCapture.of(List.of(new TcpCapture.Source(RESTORED, socket))).getFirst();
      Sockets.connect(socket, new byte[16]);
    }
    int wanted = family.equals("AF_INET") ? Linux.AF_INET() : Linux.AF_INET6();
    Fd socket = Sockets.socket(wanted, Linux.SOCK_STREAM(), 0);
    restore(socket, wanted == OwnSockets.family(state) ? state : ipv4(state));
    return socket;
  }

  private static void restore(Fd socket, TcpState state) throws IOException {
    option(socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_ON());
    option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_RECV_QUEUE());
    option(socket, Linux.TCP_QUEUE_SEQ(), state.receiveSequence());
    option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_SEND_QUEUE());
    option(socket, Linux.TCP_QUEUE_SEQ(), state.sendSequence());
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, 1, 64);
      Sockets.bind(batch, socket, state.local());
      batch.run();
      Sockets.connect(socket, state.peer());
      MemorySegment option = arena.allocate(tcp_repair_opt.layout());
      tcp_repair_opt.opt_code(option, TCPOPT_MSS);
      tcp_repair_opt.opt_val(option, state.maximumSegment());
      Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_REPAIR_OPTIONS(), option);
      option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_NO_QUEUE());
      Sockets.option(
          socket,
          Linux.IPPROTO_TCP(),
          Linux.TCP_REPAIR_WINDOW(),
          arena.allocateFrom(ValueLayout.JAVA_BYTE, state.window()));
    }
    option(socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_OFF_NO_WP());
  }

  /** Java's sockets are IPv6: the addresses of one that is not. */
  private static TcpState ipv4(TcpState state) {
    return new TcpState(
        state.descriptor(),
        state.state(),
        ipv4(state.local()),
        ipv4(state.peer()),
        state.options(),
        state.windowScales(),
        state.maximumSegment(),
        state.timestamp(),
        state.window(),
        state.receiveSequence(),
        state.sendSequence(),
        state.received(),
        state.written(),
        state.unsent());
  }

  private static byte[] ipv4(byte[] mapped) {
    ByteBuffer address = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    address.putShort((short) Linux.AF_INET()).put(mapped, 2, 2).put(mapped, 20, 4);
    return address.array();
  }

  private static int segment(Fd socket) throws IOException {
    return Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_MAXSEG());
  }

  private static void option(Fd socket, int option, int value) throws IOException {
    Sockets.option(socket, Linux.IPPROTO_TCP(), option, value);
  }
}
