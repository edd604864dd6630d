package io.twinkernel.harness.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.client.RedisProcess;
import io.twinkernel.harness.client.Reply;
import io.twinkernel.harness.client.RespConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RelayTest {

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @TempDir Path directory;

  @Test
  void passesAPortThroughAUnixSocket() throws Exception {
    Path socket = directory.resolve("relay.sock");
    try (RedisProcess redis = RedisProcess.start();
        Relay _ = Relay.inside(socket, redis.address().getPort());
        Relay outside = Relay.outside(0, socket);
        Relay other = Relay.outside(outside.port(), socket)) {
      assertThat(other.port()).isNotEqualTo(outside.port());
      InetSocketAddress entry =
          new InetSocketAddress(InetAddress.getLoopbackAddress(), outside.port());
      String value = "x".repeat(1 << 20);
      try (RespConnection first = RespConnection.open(entry, PATIENCE);
          RespConnection second = RespConnection.open(entry, PATIENCE)) {
        assertThat(first.call("SET", "key", value)).isEqualTo(new Reply.Status("OK"));
        assertThat(second.call("GET", "key")).isEqualTo(new Reply.Bulk(value));
      }
    }
  }
}
