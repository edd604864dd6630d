package io.twinkernel.broker.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class PollingTest {
  private static final int POLL = 1;
  private static final int LAST = 2;
  private static final int OTHER = 3;
  private static final Duration LONG = Duration.ofMinutes(5);

  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(Layout.SMALLEST, 4096);
  private final Semaphore[] bells = {new Semaphore(0), new Semaphore(0)};
  private final TestBell bellOfA = new TestBell(bells[1], bells[0]);
  private final TestBell bellOfB = new TestBell(bells[0], bells[1]);
  private final LinkedBlockingQueue<Integer> arrived = new LinkedBlockingQueue<>();
  private final List<Link> links = new ArrayList<>();
  private Duration polls = LONG;

  @AfterEach
  void unmap() throws InterruptedException {
    links.forEach(Link::close);
    bells[0].release();
    bells[1].release();
    for (Link link : links) {
      link.join();
    }
    arena.close();
  }

  @Test
  void sidesThatPollRingNoBellUntilItIsOver() throws Exception {
    Link a = connect();
    startPolling(a);
    int rungByA = bellOfA.rung();
    int rungByB = bellOfB.rung();
    // More than the ring holds: the sender must be told of room as well.
    for (int i = 0; i < 40; i++) {
      a.send(OTHER, new byte[a.limit()]);
    }
    a.send(LAST, new byte[64]);
    awaitLast();
    assertThat(bellOfA.rung()).isEqualTo(rungByA);
    assertThat(bellOfB.rung()).isEqualTo(rungByB);

    polls = Duration.ZERO;
    startPolling(a);
    // No bell for a B that is still awake; ends by the time-out of this test if none ever rings.
    while (bellOfA.rung() == rungByA) {
      a.send(LAST, new byte[64]);
      awaitLast();
    }
  }

  @Test
  void pollingEndsByItselfWithTheBellRungForWhatWasSentInSilence() throws Exception {
    polls = Duration.ofMillis(50);
    Link a = connect();
    startPolling(a);
    int rungByA = bellOfA.rung();
    a.send(LAST, new byte[64]);
    awaitLast();
    // Ends by the time-out of this test if nobody ever rings.
    while (bellOfA.rung() == rungByA) {
      Thread.onSpinWait();
    }
  }

  /** B, then A begins, or ends. */
  private void startPolling(Link a) throws Exception {
    a.send(POLL, new byte[0]);
    int type;
    do {
      type = arrived.take();
    } while (type != -POLL);
  }

  private void awaitLast() throws InterruptedException {
    Integer type;
    do {
      type = arrived.poll(30, TimeUnit.SECONDS);
      assertThat(type).isNotNull();
    } while (type != LAST);
  }

  private Link connect() throws Exception {
    SharedRegion region = SharedRegion.create(memory, 7);
    Link[] ends = new Link[2];
    var ready = new CompletableFuture<Boolean>();
    ends[0] =
        region.connect(
            SharedRegion.Side.A,
            bellOfA,
            (type, payload) -> {
              ready.join();
              ends[0].poll(polls);
              arrived.add(-type);
            },
            end -> {});
    ends[1] =
        SharedRegion.open(memory)
            .connect(
                SharedRegion.Side.B,
                bellOfB,
                (type, payload) -> {
                  ready.join();
                  if (type == POLL) {
                    ends[1].send(POLL, new byte[0]);
                    ends[1].poll(polls);
                  }
                  arrived.add(type);
                },
                end -> {});
    links.addAll(List.of(ends));
    ready.complete(true);
    return ends[0];
  }
}
