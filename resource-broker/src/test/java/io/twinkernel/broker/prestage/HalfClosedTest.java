package io.twinkernel.broker.prestage;

import static io.twinkernel.broker.prestage.OwnSockets.find;
import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Fd;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which connections that are half closed a copy can have so. */
final class HalfClosedTest {
  private final ServerSocket listener;
  private final Socket client;
  private final Socket server;
  private final Fd socket;

  HalfClosedTest() throws IOException {
    listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    client = new Socket(listener.getInetAddress(), listener.getLocalPort());
    server = listener.accept();
    socket = find(client);
  }

  @BeforeEach
  void isWhole() throws IOException {
    assertThat(isHalf()).isFalse();
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    server.close();
    client.close();
    listener.close();
  }

  private boolean isHalf() throws IOException {
    return HalfClosed.is(socket, TcpRepair.state(socket));
  }

  private void await(int state) throws IOException {
    while (TcpRepair.state(socket) != state) {
      Thread.onSpinWait();
    }
  }

  @Test
  void oneThatThePeerHasEndedIs() throws Exception {
    client.shutdownOutput();
    await(TcpRepair.CLOSE_WAIT);
    assertThat(isHalf()).isTrue();
  }

  /** Its end may find no room after what is not read yet. */
  @Test
  void oneInWhichThereIsSomethingToBeReadIsNot() throws Exception {
    client.getOutputStream().write(1);
    client.shutdownOutput();
    await(TcpRepair.CLOSE_WAIT);
    assertThat(isHalf()).isFalse();
    assertThat(server.getInputStream().read()).isEqualTo(1);
    assertThat(isHalf()).isTrue();
  }

  @Test
  void oneThatTheProcessHasEndedIs() throws Exception {
    server.shutdownOutput();
    await(TcpRepair.FIN_WAIT2);
    assertThat(isHalf()).isTrue();
  }

  /** A copy would wait for more. */
  @Test
  void oneOfWhichItDoesNotWantToHearAnyMoreIsNot() throws Exception {
    server.shutdownInput();
    server.shutdownOutput();
    await(TcpRepair.FIN_WAIT2);
    assertThat(isHalf()).isFalse();
  }

  /** Its end would answer before it is there. */
  @Test
  void thePeerIsToBeOutside() throws Exception {
    client.shutdownOutput();
    await(TcpRepair.CLOSE_WAIT);
    assertThat(HalfClosed.outside().has(socket, TcpRepair.CLOSE_WAIT)).isFalse();
  }

  @Test
  void theMachinesOwnAddressesAreKnown() throws Exception {
    assertThat(HalfClosed.outside().local()).contains(listener.getInetAddress());
  }
}
