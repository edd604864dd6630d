package io.twinkernel.harness.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real tcpdump, on loopback; as everything that makes taps it needs root. */
@Timeout(60)
final class TapCaptureTest {

  private static final int EXCHANGES = 50;

  @TempDir Path folder;

  private static void exchange(ServerSocket server) throws IOException {
    try (Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
        Socket accepted = server.accept()) {
      for (int i = 0; i < EXCHANGES; i++) {
        client.getOutputStream().write(i);
        assertThat(accepted.getInputStream().read()).isEqualTo(i);
        accepted.getOutputStream().write(i);
        assertThat(client.getInputStream().read()).isEqualTo(i);
      }
    }
  }

  @Test
  void seesTheSegmentsOfOnePort() throws Exception {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket server = new ServerSocket(0, 1, loopback);
        ServerSocket other = new ServerSocket(0, 1, loopback);
        TapCapture capture =
            TapCapture.start("lo", server.getLocalPort(), folder.resolve("wire.pcap"))) {
      long from = System.nanoTime();
      exchange(server);
      exchange(other);
      long to = System.nanoTime();

      WireTrace trace = capture.stop();

      // Three to open it, data both ways, and its end.
      assertThat(trace.segments()).isBetween(3L + 2 * EXCHANGES, 20L + 4 * EXCHANGES);
      assertThat(trace.missed()).isZero();
      assertThat(trace.resets()).isZero();
      assertThat(trace.retransmissions()).isEmpty();
      assertThat(trace.silentFrom() - from).isNotNegative();
      assertThat(to - (trace.silentFrom() + trace.longestSilence())).isNotNegative();
    }
  }

  @Test
  void saysWhyItDoesNotStart() {
    assertThatThrownBy(() -> TapCapture.start("no-such-tap", 1, folder.resolve("wire.pcap")))
        .isInstanceOf(HarnessException.Machine.class)
        .hasMessageContaining("no-such-tap");
  }
}
