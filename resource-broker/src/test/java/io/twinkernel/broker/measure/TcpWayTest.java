package io.twinkernel.broker.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class TcpWayTest {
  private static final Effort EFFORT = new Effort(100, 4 << 20, TimeUnit.SECONDS.toNanos(20));

  /** The other end. */
  @FunctionalInterface
  private interface Peer {
    void serve(SocketChannel channel) throws IOException;
  }

  @Test
  void measuresAllAndTheOtherEndEndsWithIt() throws Exception {
    var end = new CompletableFuture<Boolean>();
    Figures figures;
    try (TcpWay way = dial(TcpAnswers::serve, end)) {
      figures = way.measure(EFFORT);
    }
    assertThat(end.get(30, TimeUnit.SECONDS)).isTrue();
    assertThat(figures.roundTrips()).allSatisfy(one -> assertThat(one.samples()).isEqualTo(100));
    assertThat(figures.oneWay()).allSatisfy(one -> assertThat(one.bytes()).isEqualTo(4L << 20));
    assertThat(figures.toJson().toString()).contains("one_way", "mb_per_s", "record_bytes");
  }

  @Test
  void whatComesBackAlteredIsNoFigure() throws Exception {
    Peer altering =
        channel -> {
          ByteBuffer all = ByteBuffer.allocate(8 + 64);
          while (all.hasRemaining()) {
            if (channel.read(all) < 0) {
              return;
            }
          }
          all.put(71, (byte) ~all.get(71)).flip();
          while (all.hasRemaining()) {
            int _ = channel.write(all);
          }
        };
    try (TcpWay way = dial(altering, new CompletableFuture<>())) {
      assertThatThrownBy(() -> way.measure(EFFORT)).isInstanceOf(AlteredException.class);
    }
  }

  @Test
  void anEndThatGoesIsNoticed() throws Exception {
    try (TcpWay way = dial(SocketChannel::close, new CompletableFuture<>())) {
      assertThatThrownBy(() -> way.measure(EFFORT)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void percentilesAreValuesThatWereMeasured() {
    long[] nanos = new long[1000];
    for (int i = 0; i < nanos.length; i++) {
      nanos[i] = (1000 - i) * 1000L;
    }
    assertThat(Figures.RoundTrip.of(64, nanos))
        .isEqualTo(new Figures.RoundTrip(64, 1000, 500, 900, 990));
    assertThat(new Figures.OneWay(1, 5_000_000, 1_000_000_000).toJson())
        .isEqualTo(Map.of("record_bytes", 1, "bytes", 5_000_000L, "mb_per_s", 5.0));
  }

  private static TcpWay dial(Peer peer, CompletableFuture<Boolean> end) throws IOException {
    var listener = ServerSocketChannel.open();
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    Thread.startVirtualThread(
        () -> {
          try (listener;
              SocketChannel channel = listener.accept()) {
            peer.serve(channel);
            end.complete(true);
          } catch (IOException e) {
            end.completeExceptionally(e);
          }
        });
    return new TcpWay(SocketChannel.open(listener.getLocalAddress()));
  }
}
