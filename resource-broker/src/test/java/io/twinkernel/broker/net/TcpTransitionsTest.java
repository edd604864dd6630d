package io.twinkernel.broker.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TcpTransitionsTest {
  @ParameterizedTest
  @CsvSource({
    "1,0,0,false,false",
    "1,0,16,false,false",
    "1,16,0,true,false",
    "2,0,0,false,true",
    "3,0,0,false,true",
    "4,0,0,false,false",
    "4,0,1,false,true",
    "5,0,0,false,false",
    "6,0,0,false,false",
    "8,0,0,false,false",
    "8,0,0,true,true",
    "9,0,0,false,false",
    "9,0,256,false,true",
    "10,0,128,false,false",
    "10,2,128,false,true",
    "11,0,1,false,true",
  })
  void tellsWhatIsOnItsWay(int state, int received, int written, boolean within, boolean found) {
    assertThat(TcpTransitions.isOnItsWay(state, received, written, within)).isEqualTo(found);
  }

  @Test
  void aConnectionThatWaitsToBeAcceptedIsOnItsWay() throws Exception {
    try (var listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        var client = new Socket()) {
      assertThat(isFound(listener)).isFalse();
      client.connect(
          new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort()), 5000);
      assertThat(isFound(listener)).isTrue();
      try (Socket accepted = listener.accept()) {
        assertThat(isFound(listener)).isFalse();
        client.shutdownOutput();
        assertThat(accepted.getInputStream().read()).isEqualTo(-1);
        assertThat(isFound(listener)).isTrue();
      }
      assertThat(isFound(listener)).isFalse();
    }
  }

  private static boolean isFound(ServerSocket listener) throws IOException {
    return TcpTransitions.ports().contains(listener.getLocalPort());
  }
}
