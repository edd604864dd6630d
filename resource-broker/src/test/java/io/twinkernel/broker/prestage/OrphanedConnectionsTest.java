package io.twinkernel.broker.prestage;

import static io.twinkernel.broker.prestage.OwnSockets.family;
import static io.twinkernel.broker.prestage.OwnSockets.find;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real connections of this process, over the loopback interface. */
@Timeout(60)
final class OrphanedConnectionsTest {
  private static final int SELF = Math.toIntExact(ProcessHandle.current().pid());

  @TempDir Path folder;

  /** Also where it is done twice, as by a broker that dies once more. */
  @Test
  void whatWasNotSentYetIsSentAndOnce() throws Exception {
    var orphaned = new OrphanedConnections(folder);
    try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        var client = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
      client.setSoTimeout(10_000);
      TcpState idle;
      try (Socket _ = listener.accept();
          Fd socket = find(client)) {
        idle = TcpCapture.of(List.of(new TcpCapture.Source(9, socket))).getFirst();
        Sockets.connect(socket, new byte[16]);
      }
      try (Fd socket = Sockets.socket(family(idle), Linux.SOCK_STREAM(), 0)) {
        TcpState writing = unsent(idle, socket.number(), "answer".getBytes(US_ASCII));
        var target = new TcpRestore.Target(socket, TcpRestore.clear(socket), writing);
        try (RawSockets raw = RawSockets.open()) {
          TcpRestore.restore(List.of(target), raw);
        }
        var delta =
            new ProcessDelta(
                SELF,
                List.of(),
                List.of(writing),
                List.of(),
                Optional.empty(),
                List.of(),
                List.of());
        orphaned.keep(delta, delta.toBytes());
        orphaned.resume(SELF);
        orphaned.resume(SELF);
        send(socket, " and more");
        assertThat(new String(client.getInputStream().readNBytes(15), US_ASCII))
            .isEqualTo("answer and more");
      }
    }
    orphaned.forget();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void whereNothingIsOwedNothingIsKept() throws Exception {
    var delta =
        new ProcessDelta(
            SELF, List.of(), List.of(), List.of(), Optional.empty(), List.of(), List.of());
    new OrphanedConnections(folder).keep(delta, delta.toBytes());
    assertThat(folder).isEmptyDirectory();
  }

  private static void send(Fd socket, String text) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Sockets.send(socket, arena.allocateFrom(text, US_ASCII).asSlice(0, text.length()), 0);
    }
  }

  private static TcpState unsent(TcpState idle, int descriptor, byte[] bytes) {
    return new TcpState(
        descriptor,
        idle.state(),
        idle.local(),
        idle.peer(),
        idle.options(),
        idle.windowScales(),
        idle.maximumSegment(),
        idle.timestamp(),
        idle.window(),
        idle.receiveSequence(),
        idle.sendSequence() + bytes.length,
        idle.received(),
        bytes,
        bytes.length);
  }
}
