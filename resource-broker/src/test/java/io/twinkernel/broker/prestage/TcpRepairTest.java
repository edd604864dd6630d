package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Real connections, over the loopback interface: the client's end never learns of it. */
final class TcpRepairTest {
  private static final int PID = (int) ProcessHandle.current().pid();

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
        state = TcpRepair.capture(socket, 9);
        // In repair mode nothing of this is said to the client; Java's close() alone would say it.
        Sockets.connect(socket, new byte[16]);
      }
      assertThat(new String(state.received(), US_ASCII)).isEqualTo("question");
      try (Fd socket = Sockets.socket(family(state), Linux.SOCK_STREAM(), 0)) {
        TcpRepair.restore(socket, state);
        TcpRepair.resume(socket, state);
        assertThat(receive(socket)).isEqualTo("question");
        send(socket, "answer");
        assertThat(new String(client.getInputStream().readNBytes(6), US_ASCII)).isEqualTo("answer");
        client.getOutputStream().write("more".getBytes(US_ASCII));
        assertThat(socket.poll(Linux.POLLIN(), Duration.ofSeconds(10))).isNotZero();
        assertThat(receive(socket)).isEqualTo("more");
      }
    }
  }

  @Test
  void aConnectionThatStaysGoesOn() throws Exception {
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var client = new Socket(listener.getInetAddress(), listener.getLocalPort());
        Socket server = listener.accept();
        Fd socket = find(client)) {
      TcpRepair.capture(socket, 9);
      TcpRepair.release(socket);
      server.getOutputStream().write("still here".getBytes(US_ASCII));
      assertThat(client.getInputStream().readNBytes(10)).asString(US_ASCII).isEqualTo("still here");
    }
  }

  private static int family(TcpState state) {
    return state.local().length == 28 ? Linux.AF_INET6() : Linux.AF_INET();
  }

  /** The accepted end of a client's connection, among all that this process has open. */
  private static Fd find(Socket client) throws IOException {
    byte[] wanted = address((InetSocketAddress) client.getLocalSocketAddress());
    try (Fd self = Processes.open(PID);
        var entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path entry : entries) {
        int number = Integer.parseInt(entry.getFileName().toString());
        try {
          Fd fd = Processes.descriptor(self, number);
          if (java.util.Arrays.equals(peer(fd), wanted)) {
            return fd;
          }
          fd.close();
        } catch (SyscallException closed) {
          assertThat(closed.call()).isEqualTo("pidfd_getfd");
        }
      }
    }
    throw new AssertionError("no socket is connected to " + client);
  }

  private static byte[] peer(Fd fd) {
    try {
      byte[] peer = Sockets.peer(fd);
      return peer.length == 28 ? mapped(peer) : peer;
    } catch (SyscallException noConnection) {
      return new byte[0];
    }
  }

  /** Java's sockets are IPv6: ::ffff:127.0.0.1 is what we look for. */
  private static byte[] mapped(byte[] address) {
    ByteBuffer ipv4 = ByteBuffer.allocate(16);
    ipv4.put(0, (byte) Linux.AF_INET()).put(2, address[2]).put(3, address[3]);
    ipv4.put(4, address, 20, 4);
    return ipv4.array();
  }

  private static byte[] address(InetSocketAddress address) {
    ByteBuffer bytes = ByteBuffer.allocate(16);
    bytes.put(0, (byte) Linux.AF_INET()).putShort(2, (short) address.getPort());
    bytes.put(4, address.getAddress().getAddress());
    return bytes.array();
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
