package io.twinkernel.broker.prestage;

import static io.twinkernel.broker.prestage.OwnSockets.family;
import static io.twinkernel.broker.prestage.OwnSockets.find;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.tcp_repair_window;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Real connections, over the loopback interface: the client's end never learns of it. */
final class TcpRepairTest {
  // struct tcp_info of include/uapi/linux/tcp.h: tcpi_unacked and tcpi_total_retrans.
  private static final int UNACKED = 24;
  private static final int RETRANSMITTED = 100;
  private static final int TCP_QUICKACK = 12; // include/uapi/linux/tcp.h

  @Test
  void aConnectionGoesOnInAnotherSocketWithAllThatWasOnItsWay() throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var client = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
      client.setSoTimeout(10_000);
      TcpState state;
      try (Socket _ = listener.accept();
          Fd socket = find(client)) {
        client.getOutputStream().write("question".getBytes(US_ASCII));
        assertThat(socket.poll(Linux.POLLIN(), Duration.ofSeconds(10))).isNotZero();
        state = capture(socket);
        // In repair mode nothing of this is said to the client; Java's close() alone would say it.
        Sockets.connect(socket, new byte[16]);
      }
      assertThat(new String(state.received(), US_ASCII)).isEqualTo("question");
      try (Fd socket = Sockets.socket(family(state), Linux.SOCK_STREAM(), 0)) {
        resume(restore(socket, state));
        assertThat(receive(socket)).isEqualTo("question");
        send(socket, "answer");
        assertThat(new String(client.getInputStream().readNBytes(6), US_ASCII)).isEqualTo("answer");
        client.getOutputStream().write("more".getBytes(US_ASCII));
        assertThat(socket.poll(Linux.POLLIN(), Duration.ofSeconds(10))).isNotZero();
        assertThat(receive(socket)).isEqualTo("more");
      }
    }
  }

  /**
   * By IPv4, by an IPv4 address in an IPv6 socket, and by IPv6; with what was not read yet or
   * without.
   */
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1,127.0.0.1,''",
    "127.0.0.1,127.0.0.1,question",
    "0.0.0.0,127.0.0.1,question",
    "::1,::1,''",
    "::1,::1,question"
  })
  void oneThatThePeerHasEndedGoesOn(String listening, String address, String unread)
      throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getByName(listening));
        var client = new Socket(InetAddress.getByName(address), listener.getLocalPort())) {
      client.setSoTimeout(10_000);
      TcpState state;
      try (Socket _ = listener.accept();
          Fd socket = find(client)) {
        client.getOutputStream().write(unread.getBytes(US_ASCII));
        client.shutdownOutput();
        awaitState(socket, TcpRepair.CLOSE_WAIT);
        state = capture(socket);
        Sockets.connect(socket, new byte[16]);
      }
      assertThat(new String(state.received(), US_ASCII)).isEqualTo(unread);
      try (Fd socket = Sockets.socket(family(state), Linux.SOCK_STREAM(), 0)) {
        resume(restore(socket, state));
        assertThat(TcpRepair.state(socket)).isEqualTo(TcpRepair.CLOSE_WAIT);
        assertThat(receive(socket)).isEqualTo(unread);
        assertThat(receive(socket)).isEmpty();
        send(socket, "answer");
      }
      assertThat(new String(client.getInputStream().readAllBytes(), US_ASCII)).isEqualTo("answer");
    }
  }

  /** Else the end would find no room where the peer had used all of it. */
  @Test
  void oneThatThePeerHasEndedTakesAsMuchAsBefore() throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var client = new Socket(listener.getInetAddress(), listener.getLocalPort());
        Socket _ = listener.accept();
        Fd socket = find(client);
        Fd clientEnd = find((InetSocketAddress) client.getRemoteSocketAddress())) {
      client.shutdownOutput();
      awaitState(socket, TcpRepair.CLOSE_WAIT);
      // Its end is acknowledged.
      awaitState(clientEnd, TcpRepair.FIN_WAIT2);
      TcpState state = capture(socket);
      TcpRepair.release(socket);
      int acknowledged = (int) tcp_repair_window.rcv_wup$offset();
      int room = (int) tcp_repair_window.rcv_wnd$offset();
      ByteBuffer before = ByteBuffer.wrap(state.window()).order(ByteOrder.nativeOrder());
      ByteBuffer after = ByteBuffer.wrap(TcpRestore.window(state)).order(ByteOrder.nativeOrder());
      assertThat(before.getInt(acknowledged)).isEqualTo(state.receiveSequence());
      assertThat(after.getInt(acknowledged)).isEqualTo(state.nextByte());
      assertThat(after.getInt(acknowledged) + after.getInt(room))
          .isEqualTo(before.getInt(acknowledged) + before.getInt(room));
    }
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1,127.0.0.1", "0.0.0.0,127.0.0.1", "::1,::1"})
  void oneThatTheProcessHasEndedGoesOn(String listening, String address) throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getByName(listening));
        var client = new Socket(InetAddress.getByName(address), listener.getLocalPort())) {
      client.setSoTimeout(10_000);
      TcpState state;
      try (Socket server = listener.accept();
          Fd socket = find(client)) {
        server.getOutputStream().write("bye".getBytes(US_ASCII));
        server.shutdownOutput();
        awaitState(socket, TcpRepair.FIN_WAIT2);
        state = capture(socket);
        Sockets.connect(socket, new byte[16]);
      }
      try (Fd socket = Sockets.socket(family(state), Linux.SOCK_STREAM(), 0)) {
        resume(restore(socket, state));
        assertThat(TcpRepair.state(socket)).isEqualTo(TcpRepair.FIN_WAIT2);
        client.getOutputStream().write("last words".getBytes(US_ASCII));
        assertThat(socket.poll(Linux.POLLIN(), Duration.ofSeconds(10))).isNotZero();
        assertThat(receive(socket)).isEqualTo("last words");
        client.shutdownOutput();
        assertThat(receive(socket)).isEmpty();
      }
      assertThat(new String(client.getInputStream().readAllBytes(), US_ASCII)).isEqualTo("bye");
    }
  }

  private static void awaitState(Fd socket, int state) throws IOException {
    while (TcpRepair.state(socket) != state) {
      Thread.onSpinWait();
    }
  }

  /** What fits into one is worked out anew for each; the least would be 536 bytes. */
  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1"})
  void segmentsAreAsLargeAsTheWayAllows(String address) throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getByName(address));
        var client = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
      TcpState state;
      int before;
      try (Socket _ = listener.accept();
          Fd socket = find(client)) {
        before = Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_MAXSEG());
        state = capture(socket);
        Sockets.connect(socket, new byte[16]);
      }
      try (Fd socket = Sockets.socket(family(state), Linux.SOCK_STREAM(), 0)) {
        resume(restore(socket, state));
        // The loopback interface takes more than can be asked for.
        assertThat(Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_MAXSEG()))
            .isGreaterThan(Math.min(before, 32_000));
      }
    }
  }

  /** Where the lowest bit says so from 6.7 on, kernels before count milliseconds in it. */
  @Test
  void timeGoesOnInTheUnitThatThePeerKnows() {
    int microseconds = 64; // TCPI_OPT_USEC_TS
    assertThat(TcpRestore.timestamp(0, 1001)).isEqualTo(1002);
    assertThat(TcpRestore.timestamp(0, 1002)).isEqualTo(1002);
    assertThat(TcpRestore.timestamp(microseconds, 1003)).isEqualTo(1003);
  }

  /** By IPv4, by an IPv4 address in an IPv6 socket, and by IPv6. */
  @ParameterizedTest
  @CsvSource({"127.0.0.1,127.0.0.1", "0.0.0.0,127.0.0.1", "::1,::1"})
  void thePeerIsToldWhatHadArrived(String listening, String address) throws Exception {
    for (int attempt = 0; !peerIsTold(listening, address); attempt++) {
      // The kernel acknowledges by itself after 40 ms: whoever was slower proves nothing.
      assertThat(attempt).isLessThan(50);
    }
  }

  private static boolean peerIsTold(String listening, String address) throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getByName(listening));
        var client = new Socket(InetAddress.getByName(address), listener.getLocalPort());
        Fd clientEnd = find((InetSocketAddress) client.getRemoteSocketAddress())) {
      TcpState state;
      try (Socket _ = listener.accept();
          Fd socket = find(client)) {
        // Acknowledges later, as one does who answers.
        Sockets.option(socket, Linux.IPPROTO_TCP(), TCP_QUICKACK, 0);
        client.getOutputStream().write("question".getBytes(US_ASCII));
        assertThat(socket.poll(Linux.POLLIN(), Duration.ofSeconds(10))).isNotZero();
        state = capture(socket);
        Sockets.connect(socket, new byte[16]);
      }
      if (info(clientEnd, UNACKED) == 0) {
        return false;
      }
      try (Fd socket = Sockets.socket(family(state), Linux.SOCK_STREAM(), 0);
          var raw = RawSockets.open()) {
        TcpRestore.Target target = restore(socket, state);
        TcpSegment owed = TcpSegment.owed(state).orElseThrow();
        assertThat(owed.isIpv6()).isEqualTo(address.equals("::1"));
        resume(target, raw);
        // Over the loopback interface it has arrived when the call returns.
        boolean told = info(clientEnd, UNACKED) == 0 && info(clientEnd, RETRANSMITTED) == 0;
        assertThat(receive(socket)).isEqualTo("question");
        send(socket, "answer");
        client.setSoTimeout(10_000);
        assertThat(new String(client.getInputStream().readNBytes(6), US_ASCII)).isEqualTo("answer");
        assertThat(told).isTrue();
        return true;
      }
    }
  }

  /** It is the peer's next segment that says so, and that segment is not to be thrown away. */
  @Test
  void whatThePeerHasIsNotSentAgain() throws Exception {
    for (int attempt = 0; !staysAcknowledgedLater(); attempt++) {
      assertThat(attempt).isLessThan(50);
    }
  }

  /**
   * @return false if the peer acknowledged at once, which proves nothing
   */
  private static boolean staysAcknowledgedLater() throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var client = new Socket(listener.getInetAddress(), listener.getLocalPort());
        Fd clientEnd = find((InetSocketAddress) client.getRemoteSocketAddress())) {
      client.setSoTimeout(10_000);
      TcpState state;
      try (Socket server = listener.accept();
          Fd socket = find(client)) {
        Sockets.option(clientEnd, Linux.IPPROTO_TCP(), TCP_QUICKACK, 0);
        server.getOutputStream().write("answer".getBytes(US_ASCII));
        assertThat(clientEnd.poll(Linux.POLLIN(), Duration.ofSeconds(10))).isNotZero();
        state = capture(socket);
        Sockets.connect(socket, new byte[16]);
      }
      if (state.written().length == 0) {
        return false;
      }
      assertThat(state.unsent()).isZero();
      try (Fd socket = Sockets.socket(family(state), Linux.SOCK_STREAM(), 0)) {
        TcpRestore.Target target = restore(socket, state);
        client.getOutputStream().write("more".getBytes(US_ASCII));
        resume(target);
        assertThat(receive(socket)).isEqualTo("more");
        assertThat(info(socket, UNACKED)).isZero();
        assertThat(info(socket, RETRANSMITTED)).isZero();
        send(socket, "end");
        assertThat(new String(client.getInputStream().readNBytes(9), US_ASCII))
            .isEqualTo("answerend");
        assertThat(info(clientEnd, RETRANSMITTED)).isZero();
        return true;
      }
    }
  }

  private static TcpState capture(Fd socket) throws IOException {
    return TcpCapture.of(List.of(new TcpCapture.Source(9, socket))).getFirst();
  }

  private static TcpRestore.Target restore(Fd socket, TcpState state) throws IOException {
    var target = new TcpRestore.Target(socket, TcpRestore.clear(socket), state);
    try (var raw = RawSockets.open()) {
      TcpRestore.restore(List.of(target), raw);
    }
    return target;
  }

  private static void resume(TcpRestore.Target target) throws IOException {
    try (var raw = RawSockets.open()) {
      resume(target, raw);
    }
  }

  private static void resume(TcpRestore.Target target, RawSockets raw) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      TcpRestore.resumption(arena, List.of(target), raw).run();
    }
  }

  private static int info(Fd socket, int field) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(RETRANSMITTED + Integer.BYTES, Integer.BYTES);
      Sockets.read(socket, Linux.IPPROTO_TCP(), Linux.TCP_INFO(), info);
      return info.get(ValueLayout.JAVA_INT, field);
    }
  }

  @Test
  void aConnectionThatStaysGoesOn() throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var client = new Socket(listener.getInetAddress(), listener.getLocalPort());
        Socket server = listener.accept();
        Fd socket = find(client)) {
      capture(socket);
      TcpRepair.release(socket);
      server.getOutputStream().write("still here".getBytes(US_ASCII));
      assertThat(client.getInputStream().readNBytes(10)).asString(US_ASCII).isEqualTo("still here");
    }
  }

  /** Its connections go on for a while when it has ended. */
  @Test
  void aServerThatIsStartedAnewCanHaveItsPort() throws Exception {
    var listener = new ServerSocket(0, 2, InetAddress.getLoopbackAddress());
    SocketAddress address = listener.getLocalSocketAddress();
    try (var client = new Socket(listener.getInetAddress(), listener.getLocalPort());
        var stayed = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
      TcpState state;
      try (Socket _ = listener.accept();
          Fd socket = find(client)) {
        state = capture(socket);
        Sockets.connect(socket, new byte[16]);
      }
      try (Socket _ = listener.accept();
          Fd socket = find(stayed);
          Fd copy = Sockets.socket(family(state), Linux.SOCK_STREAM(), 0)) {
        capture(socket);
        TcpRepair.release(socket);
        resume(restore(copy, state));
        listener.close();
        try (var anew = new ServerSocket()) {
          anew.setReuseAddress(true);
          anew.bind(address);
          assertThat(anew.isBound()).isTrue();
        }
      }
    }
  }

  private static String receive(Fd socket) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(100);
      int count = Sockets.recv(socket, buffer, 0);
      return new String(buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE), US_ASCII);
    }
  }

  private static void send(Fd socket, String text) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Sockets.send(socket, arena.allocateFrom(text, US_ASCII).asSlice(0, text.length()), 0);
    }
  }
}
