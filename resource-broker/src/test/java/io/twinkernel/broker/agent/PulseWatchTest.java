package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.link.TestBell;
import io.twinkernel.ffi.Tsc;
import io.twinkernel.ffi.bindings.Twin;
import io.twinkernel.ffi.bindings.twin_shared;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class PulseWatchTest {
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(16 << 20, 4096);
  private final Semaphore bell = new Semaphore(0);
  private final SharedRegion region = SharedRegion.create(memory, 7);
  private final Inbox inbox = new Inbox();
  private final Link link =
      region.connect(
          SharedRegion.Side.A,
          new TestBell(new Semaphore(0), bell),
          (type, payload) -> inbox.put(type, new byte[0]),
          inbox::end);
  private final Peer peer = new Peer(link, inbox);

  @AfterEach
  void unmap() throws InterruptedException {
    link.close();
    bell.release();
    link.join();
    arena.close();
  }

  @Test
  void whoWaitsForAnAnswerLearnsThatThePulseHasStopped() {
    Pulse.begin(region, SharedRegion.Side.B).close();
    try (var _ = watch(Duration.ZERO)) {
      assertThatThrownBy(inbox::take)
          .isInstanceOf(LinkException.PeerGone.class)
          .hasMessageContaining("silent");
    }
  }

  @Test
  void whoWaitsForRoomLearnsItAsWell() {
    Pulse.begin(region, SharedRegion.Side.B).close();
    try (var _ = watch(Duration.ZERO)) {
      // Nobody reads: the ring fills.
      assertThatThrownBy(this::sendForEver).isInstanceOf(LinkException.PeerGone.class);
    }
  }

  private void sendForEver() throws IOException {
    while (true) {
      link.send(1, new byte[1 << 16]);
    }
  }

  @Test
  void aPanicIsNotWaitedFor() {
    // Its pulse may beat on: it is not what says so.
    try (var _ = Pulse.begin(region, SharedRegion.Side.B);
        var _ = watch(Duration.ofDays(1))) {
      twin_shared.panicked(memory, Twin.TWIN_SIDE_B(), Twin.TWIN_PANICKED());
      assertThatThrownBy(inbox::take)
          .isInstanceOf(LinkException.PeerGone.class)
          .hasMessageContaining("panicked");
    }
  }

  @Test
  void whoBeatsLateIsWaitedForByWhoKnowsThat() throws Exception {
    region.pulse(SharedRegion.Side.B, 1);
    try (var _ = watch(Duration.ofDays(1))) {
      assertThat(inbox.poll(Duration.ofMillis(500).toNanos())).isEmpty();
    }
  }

  @Test
  void theSwitchIsAbortedBeforeAnybodyLearnsOfIt() {
    region.moveBaton(Baton.HELD_BY_A, Baton.SWITCHING);
    try (var _ = watch(Duration.ZERO)) {
      assertThatThrownBy(inbox::take).isInstanceOf(LinkException.PeerGone.class);
      assertThat(region.moveBaton(Baton.SWITCHING, Baton.COMMITTED)).isFalse();
    }
  }

  /** A broker that starts anew there goes on speaking by the same link. */
  @Test
  void afterTheCommitNothingIsGivenUp() throws Exception {
    region.moveBaton(Baton.HELD_BY_A, Baton.SWITCHING);
    region.moveBaton(Baton.SWITCHING, Baton.COMMITTED);
    try (var _ = watch(Duration.ZERO)) {
      assertThat(inbox.poll(Duration.ofMillis(500).toNanos())).isEmpty();
    }
  }

  @Test
  void whileTheProcessesRunItMayBeSilent() throws Exception {
    try (var watch = new PulseWatch(region, SharedRegion.Side.B, peer, Duration.ZERO)) {
      watch.rest();
      assertThat(inbox.poll(Duration.ofMillis(500).toNanos())).isEmpty();
    }
  }

  @Test
  void beatsUntilItIsClosed() {
    long before = Tsc.read();
    try (var pulse = Pulse.begin(region, SharedRegion.Side.B)) {
      long first = region.pulse(SharedRegion.Side.B);
      assertThat(first).isGreaterThan(before);
      while (region.pulse(SharedRegion.Side.B) == first) {
        Thread.onSpinWait();
      }
      for (int time = 0; time < 3; time++) {
        pulse.mark();
      }
      assertThat(pulse.latest()).isBetween(Duration.ZERO, Duration.ofSeconds(10));
      assertThat(region.pulse(SharedRegion.Side.A)).isZero();
    }
  }

  private PulseWatch watch(Duration latest) {
    var watch = new PulseWatch(region, SharedRegion.Side.B, peer, latest);
    watch.begin();
    return watch;
  }
}
