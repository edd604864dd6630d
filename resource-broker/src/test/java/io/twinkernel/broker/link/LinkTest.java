package io.twinkernel.broker.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class LinkTest {
  private static final long REGION = Layout.SMALLEST;
  private static final int ECHO = 2;
  private static final Duration LONG = Duration.ofDays(1);

  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(REGION, 4096);
  private final Semaphore bellA = new Semaphore(0);
  private final Semaphore bellB = new Semaphore(0);
  private final List<Link> links = new ArrayList<>();

  private record Message(int type, byte[] payload) {}

  @AfterEach
  void unmap() throws InterruptedException {
    close();
    arena.close();
  }

  private void close() throws InterruptedException {
    for (Link link : links) {
      link.close();
    }
    bellA.release();
    bellB.release();
    for (Link link : links) {
      link.join();
    }
    links.clear();
    bellA.drainPermits();
    bellB.drainPermits();
  }

  @Test
  void carriesMessagesOfAnySizeInOrderPastTheEndOfTheRing() throws Exception {
    SharedRegion region = SharedRegion.create(memory, 7);
    var received = new LinkedBlockingQueue<Message>();
    Link a = connect(region, SharedRegion.Side.A, (type, payload) -> {}, new CompletableFuture<>());
    connect(
        SharedRegion.open(memory),
        SharedRegion.Side.B,
        (type, payload) -> received.add(new Message(type, payload.toArray(ValueLayout.JAVA_BYTE))),
        new CompletableFuture<>());
    var random = new Random(42);
    var sizes = new Random(43);
    var expected = new Random(42);
    var expectedSizes = new Random(43);
    var sender =
        Thread.startVirtualThread(
            () -> {
              try {
                for (int i = 1; i <= 400; i++) {
                  byte[] payload = new byte[sizes.nextInt(a.limit() + 1)];
                  random.nextBytes(payload);
                  a.send(i, payload);
                }
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    for (int i = 1; i <= 400; i++) {
      byte[] payload = new byte[expectedSizes.nextInt(a.limit() + 1)];
      expected.nextBytes(payload);
      Message message = received.poll(60, TimeUnit.SECONDS);
      assertThat(message).isNotNull();
      assertThat(message.type()).isEqualTo(i);
      assertThat(Arrays.equals(message.payload(), payload)).as("payload of message %d", i).isTrue();
    }
    sender.join();
    a.flush();
    assertThat(ring(region, SharedRegion.Side.A).used()).isZero();
  }

  @Test
  void refusesWhatDoesNotFitAndSendsNothingOfIt() throws Exception {
    SharedRegion region = SharedRegion.create(memory, 7);
    Link a = connect(region, SharedRegion.Side.A, (type, payload) -> {}, new CompletableFuture<>());
    assertThatThrownBy(() -> a.send(1, new byte[a.limit() + 1]))
        .isInstanceOf(LinkException.TooLarge.class);
    assertThatThrownBy(
            () ->
                a.send(
                    1,
                    10,
                    room -> {
                      throw new IOException("the disk is gone");
                    }))
        .hasMessage("the disk is gone");
    assertThat(ring(region, SharedRegion.Side.A).used()).isZero();
  }

  @Test
  void garbageEndsTheLinkWithAReasonWhateverItIs() throws Exception {
    for (int seed = 0; seed < 200; seed++) {
      var random = new Random(seed);
      SharedRegion region = SharedRegion.create(memory, 7);
      Layout layout = region.layout();
      // Positions and records that no sound writer leaves; half of them with plausible positions.
      byte[] garbage = new byte[4096];
      random.nextBytes(garbage);
      MemorySegment.copy(
          garbage, 0, memory, ValueLayout.JAVA_BYTE, layout.ringA() + Ring.DATA, garbage.length);
      long written = random.nextBoolean() ? random.nextLong() : 16L * (1 + random.nextInt(200));
      memory.set(ValueLayout.JAVA_LONG, layout.ringA(), written == 0 ? 16 : written);
      var end = new CompletableFuture<IOException>();
      connect(region, SharedRegion.Side.B, (type, payload) -> {}, end);
      assertThat(end.get(30, TimeUnit.SECONDS)).isInstanceOf(LinkException.Corrupt.class);
    }
  }

  @Test
  void garbageThatComesWhileBothSidesWorkHarmsNeither() throws Exception {
    for (int seed = 0; seed < 20; seed++) {
      var random = new Random(seed);
      SharedRegion region = SharedRegion.create(memory, 7);
      Layout layout = region.layout();
      var ends =
          List.of(new CompletableFuture<IOException>(), new CompletableFuture<IOException>());
      var senders = new ArrayList<CompletableFuture<Throwable>>();
      for (SharedRegion.Side side : SharedRegion.Side.values()) {
        Link link =
            connect(
                region, side, (type, payload) -> {}, ends.get(side == SharedRegion.Side.A ? 0 : 1));
        var failure = new CompletableFuture<Throwable>();
        senders.add(failure);
        Thread.startVirtualThread(
            () -> {
              try {
                for (int size = 1; ; size = size * 7 % 5003) {
                  link.send(1 + size, new byte[size]);
                }
              } catch (IOException | RuntimeException e) {
                failure.complete(e);
              }
            });
      }
      // Positions, and what they point to, in both rings; any word, aligned or not.
      while (!(ends.get(0).isDone() && ends.get(1).isDone())) {
        int ring = random.nextBoolean() ? layout.ringA() : layout.ringB();
        long at =
            switch (random.nextInt(4)) {
              case 0 -> 8L * random.nextInt(2);
              case 1 -> 64 + 8L * random.nextInt(2);
              default -> Ring.DATA + random.nextInt(1 << 12);
            };
        long word = random.nextInt(3) == 0 ? random.nextInt(1 << 22) : random.nextLong();
        memory.set(ValueLayout.JAVA_LONG_UNALIGNED, ring + at, word);
      }
      for (var end : ends) {
        assertThat(end.get()).isInstanceOf(LinkException.Corrupt.class);
      }
      links.forEach(Link::close);
      for (var sender : senders) {
        assertThat(sender.get(30, TimeUnit.SECONDS)).isInstanceOf(LinkException.class);
      }
    }
  }

  /** Nobody looks by himself: one bell too few, and this does not end. */
  @Test
  void whoeverSleepsIsWokenForWhatHeWaitsFor() throws Exception {
    for (int seed = 0; seed < 8; seed++) {
      int most = seed % 2 == 0 ? 64 : 1 << 17;
      Pair pair = connect(SharedRegion.create(memory, 7), (type, payload) -> {});
      var threads = new ArrayList<Thread>();
      var failures = new LinkedBlockingQueue<Exception>();
      for (int sender = 0; sender < 4; sender++) {
        var random = new Random(seed * 4L + sender);
        Link from = sender % 2 == 0 ? pair.a() : pair.b();
        threads.add(
            Thread.startVirtualThread(
                () -> {
                  try {
                    for (int i = 0; i < (most == 64 ? 20_000 : 300); i++) {
                      from.send(1, new byte[random.nextInt(most)]);
                      if (random.nextInt(50) == 0) {
                        from.flush();
                      }
                      if (random.nextInt(200) == 0) {
                        LockSupport.parkNanos(random.nextInt(200_000));
                      }
                    }
                    from.flush();
                  } catch (IOException e) {
                    failures.add(e);
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failures).isEmpty();
      close();
    }
  }

  @Test
  void ringsForNobodyWhoDoesNotSleep() throws Exception {
    var answers = new Semaphore(0);
    Pair pair = connect(SharedRegion.create(memory, 7), (type, payload) -> answers.release());
    int trips = 2000;
    for (int i = 0; i < trips; i++) {
      pair.a().send(ECHO, new byte[64]);
      answers.acquire();
    }
    // There and back, and nothing for the room that nobody waits for.
    assertThat(pair.bellOfA().rung()).isBetween(1, trips);
    assertThat(pair.bellOfB().rung()).isBetween(1, trips);
  }

  @Test
  void aSenderThatWaitsForRoomIsToldWhenTheLinkEnds() throws Exception {
    SharedRegion region = SharedRegion.create(memory, 7);
    Link a = connect(region, SharedRegion.Side.A, (type, payload) -> {}, new CompletableFuture<>());
    var failure = new CompletableFuture<IOException>();
    Thread.startVirtualThread(
        () -> {
          try {
            while (true) {
              a.send(1, new byte[a.limit()]);
            }
          } catch (IOException e) {
            failure.complete(e);
          }
        });
    a.close();
    assertThat(failure.get(30, TimeUnit.SECONDS)).isInstanceOf(LinkException.Closed.class);
  }

  @Test
  void aRegionOfAnotherVersionOrADamagedOneIsRefused() {
    SharedRegion.create(memory, 7);
    memory.set(ValueLayout.JAVA_INT, 8, 99);
    assertThatThrownBy(() -> SharedRegion.open(memory))
        .isInstanceOf(LinkException.Incompatible.class)
        .hasMessageContaining("version 99");
    SharedRegion.create(memory, 7);
    memory.set(ValueLayout.JAVA_INT, 40, 12345);
    assertThatThrownBy(() -> SharedRegion.open(memory)).isInstanceOf(LinkException.Corrupt.class);
    memory.fill((byte) 0);
    assertThatThrownBy(() -> SharedRegion.open(memory))
        .isInstanceOf(LinkException.Incompatible.class)
        .hasMessageContaining("magic");
  }

  @Test
  void theBatonHasOneWinner() throws Exception {
    SharedRegion a = SharedRegion.create(memory, 7);
    SharedRegion b = SharedRegion.open(memory);
    for (int round = 0; round < 1000; round++) {
      assertThat(a.moveBaton(a.baton(), Baton.SWITCHING)).isTrue();
      var commits = new CompletableFuture<Boolean>();
      Thread other =
          Thread.startVirtualThread(
              () -> commits.complete(b.moveBaton(Baton.SWITCHING, Baton.COMMITTED)));
      boolean aborts = a.moveBaton(Baton.SWITCHING, Baton.ABORTED);
      other.join();
      assertThat(commits.get()).isNotEqualTo(aborts);
      assertThat(b.baton()).isEqualTo(aborts ? Baton.ABORTED : Baton.COMMITTED);
    }
  }

  private record Pair(Link a, Link b, TestBell bellOfA, TestBell bellOfB) {}

  /** Both sides, which sleep until they are woken; B answers what is to be echoed. */
  private Pair connect(SharedRegion region, Link.Receiver receiverOfA) {
    Ring toB = ring(region, SharedRegion.Side.A);
    Ring toA = ring(region, SharedRegion.Side.B);
    var bellOfA = new TestBell(bellB, bellA);
    var bellOfB = new TestBell(bellA, bellB);
    var b = new Link[1];
    Link a = new Link(toB, toA, bellOfA, receiverOfA, end -> {}, LONG);
    b[0] =
        new Link(
            toA,
            toB,
            bellOfB,
            (type, payload) -> {
              if (type == ECHO) {
                b[0].send(1, payload.toArray(ValueLayout.JAVA_BYTE));
              }
            },
            end -> {},
            LONG);
    links.addAll(List.of(a, b[0]));
    links.forEach(Link::start);
    return new Pair(a, b[0], bellOfA, bellOfB);
  }

  private Ring ring(SharedRegion region, SharedRegion.Side side) {
    Layout layout = region.layout();
    return side == SharedRegion.Side.A
        ? new Ring(
            memory.asSlice(layout.ringA(), Ring.DATA + layout.ringABytes()), layout.ringABytes())
        : new Ring(
            memory.asSlice(layout.ringB(), Ring.DATA + layout.ringBBytes()), layout.ringBBytes());
  }

  private Link connect(
      SharedRegion region,
      SharedRegion.Side side,
      Link.Receiver receiver,
      CompletableFuture<IOException> end) {
    boolean isA = side == SharedRegion.Side.A;
    Doorbell doorbell = new TestBell(isA ? bellB : bellA, isA ? bellA : bellB);
    Link link = region.connect(side, doorbell, receiver, end::complete);
    links.add(link);
    return link;
  }
}
