package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.link.TestBell;
import io.twinkernel.broker.measure.AlteredException;
import io.twinkernel.broker.measure.Effort;
import io.twinkernel.broker.measure.Figures;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The brokers' measurement of a link, between two threads. */
@Timeout(120)
final class LinkMeterTest {
  private static final Effort EFFORT = new Effort(100, 8 << 20, TimeUnit.SECONDS.toNanos(20));

  /** Changes or drops what reaches B. */
  @FunctionalInterface
  private interface Meddler {
    MemorySegment meddle(int type, MemorySegment payload);
  }

  private final Arena arena = Arena.ofShared();
  private final Semaphore[] bells = {new Semaphore(0), new Semaphore(0)};
  private final CompletableFuture<LinkMeter> meter = new CompletableFuture<>();
  private final CompletableFuture<Link> linkOfB = new CompletableFuture<>();
  private volatile Meddler meddler = (_, payload) -> payload;
  private Link a;

  @BeforeEach
  void connect() throws IOException {
    MemorySegment memory = arena.allocate(16 << 20, 4096);
    var answers = new LinkAnswers();
    SharedRegion region = SharedRegion.create(memory, 7);
    a =
        region.connect(
            SharedRegion.Side.A,
            new TestBell(bells[1], bells[0]),
            (type, payload) -> meter.join().receive(type, payload),
            reason -> meter.join().end(reason));
    linkOfB.complete(
        SharedRegion.open(memory)
            .connect(
                SharedRegion.Side.B,
                new TestBell(bells[0], bells[1]),
                (type, payload) ->
                    answers.receive(linkOfB.join(), type, meddler.meddle(type, payload)),
                end -> {}));
    meter.complete(new LinkMeter(a));
  }

  @AfterEach
  void unmap() throws InterruptedException {
    a.close();
    linkOfB.join().close();
    bells[0].release();
    bells[1].release();
    a.join();
    linkOfB.join().join();
    arena.close();
  }

  @Test
  void measuresByTheDoorbellAndPolling() throws Exception {
    isComplete(meter.join().measure(EFFORT));
    meter.join().poll(Duration.ofMinutes(1));
    isComplete(meter.join().measure(EFFORT));
    meter.join().poll(Duration.ZERO);
    isComplete(meter.join().measure(EFFORT));
  }

  @Test
  void whatComesBackAlteredIsNoFigure() {
    meddler = (type, payload) -> type == FrameType.ECHO ? altered(payload) : payload;
    assertThatThrownBy(() -> meter.join().measure(EFFORT))
        .hasRootCauseInstanceOf(AlteredException.class)
        .hasMessageContaining("payload 0");
  }

  @Test
  void aRecordThatArrivesAlteredIsNoFigure() {
    var once = new Semaphore(1);
    meddler =
        (type, payload) -> type == FrameType.BULK && once.tryAcquire() ? altered(payload) : payload;
    assertThatThrownBy(() -> meter.join().measure(EFFORT))
        .isInstanceOf(AlteredException.class)
        .hasMessageContaining("128 arrived, 1 of them altered");
  }

  @Test
  void whoeverWaitsLearnsOfTheEnd() {
    meddler =
        (type, payload) -> {
          a.close();
          return payload;
        };
    assertThatThrownBy(() -> meter.join().measure(EFFORT))
        .isInstanceOf(IOException.class)
        .satisfies(
            failure ->
                assertThat(failure instanceof LinkException ? failure : failure.getCause())
                    .isInstanceOf(LinkException.Closed.class));
  }

  @Test
  void whatBCannotDoIsSaid() throws Exception {
    var asked = meter.join().ask(Map.of(LinkAnswers.WHAT, "dance"));
    assertThatThrownBy(() -> LinkMeter.await(asked)).hasMessageContaining("dance");
  }

  private static MemorySegment altered(MemorySegment payload) {
    byte[] bytes = payload.toArray(ValueLayout.JAVA_BYTE);
    bytes[bytes.length - 1] ^= 1;
    return MemorySegment.ofArray(bytes);
  }

  private static void isComplete(Figures figures) {
    assertThat(figures.roundTrips())
        .extracting(Figures.RoundTrip::bytes, Figures.RoundTrip::samples)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(64, 100),
            org.assertj.core.groups.Tuple.tuple(4096, 100));
    assertThat(figures.oneWay())
        .extracting(Figures.OneWay::recordBytes, Figures.OneWay::bytes)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(1 << 16, 8L << 20),
            org.assertj.core.groups.Tuple.tuple(1 << 20, 8L << 20));
  }
}
