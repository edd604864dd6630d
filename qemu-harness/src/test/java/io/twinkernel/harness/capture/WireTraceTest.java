package io.twinkernel.harness.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class WireTraceTest {

  private static final int ROUNDS = 300;

  private static WireTrace of(List<TcpSegment> segments) {
    return WireTrace.of(segments, Wire.PORT, 0, 0);
  }

  @Test
  void countsWhatWasSentAgainAndNothingElse() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < ROUNDS; round++) {
      // Near the end of the sequence numbers, so that they wrap.
      Wire.Dialogue dialogue =
          new Wire.Dialogue(40_000, -random.nextInt(3000), -random.nextInt(3000));
      int again = 0;
      int lastClient = 0;
      for (int i = 0; i < 50; i++) {
        switch (random.nextInt(4)) {
          case 0 -> {
            lastClient = 2 + random.nextInt(1400);
            dialogue.data(true, lastClient);
          }
          case 1 -> dialogue.data(false, 1 + random.nextInt(1400));
          case 2 -> dialogue.acknowledge(random.nextBoolean());
          default -> {
            if (lastClient > 0) {
              dialogue.again(true, 2 + random.nextInt(lastClient - 1));
              again++;
            }
          }
        }
      }
      WireTrace trace = of(dialogue.segments());
      assertThat(trace.retransmissions()).as("round %d", round).hasSize(again);
      assertThat(trace.segments()).isEqualTo(dialogue.segments().size());
      assertThat(trace.resets()).isZero();
    }
  }

  @Test
  void connectionsDoNotDisturbEachOther() {
    SplittableRandom random = new SplittableRandom(2);
    List<TcpSegment> all = new ArrayList<>();
    int again = 0;
    for (int port = 40_000; port < 40_008; port++) {
      Wire.Dialogue dialogue = new Wire.Dialogue(port, random.nextInt(), random.nextInt());
      for (int i = 0; i < 20; i++) {
        dialogue.data(i % 2 == 0, 100);
        if (random.nextInt(5) == 0) {
          dialogue.again(i % 2 == 0, 100);
          again++;
        }
      }
      all.addAll(dialogue.segments());
    }
    // Together, in the order of their times.
    Collections.shuffle(all, new Random(3));
    all.sort(java.util.Comparator.comparingLong(TcpSegment::atNanos));
    // Segments of one connection have different times, so their order is kept.
    assertThat(of(all).retransmissions()).hasSize(again).isSorted();
  }

  @Test
  void findsTheLongestSilence() {
    Wire.Dialogue dialogue = new Wire.Dialogue(40_000, 1, 1);
    dialogue.data(true, 10);
    long before = dialogue.segments().getLast().atNanos();
    dialogue.silence(799_000_000);
    dialogue.again(true, 10);
    dialogue.data(false, 5);

    WireTrace trace = WireTrace.of(dialogue.segments(), Wire.PORT, 17, 4);

    assertThat(trace.longestSilence()).isEqualTo(800_000_000);
    assertThat(trace.silentFrom()).isEqualTo(before + 17);
    assertThat(trace.missed()).isEqualTo(4);
    assertThat(trace.retransmissions()).containsExactly(before + 17 + 800_000_000);
    assertThat(trace.retransmissionsSince(before + 17 + 800_000_000)).isEqualTo(1);
    assertThat(trace.retransmissionsSince(before + 18 + 800_000_000)).isZero();
    assertThat(trace.retransmissionsBetween(before, before + 18 + 800_000_000)).isEqualTo(1);
    assertThat(trace.retransmissionsBetween(before, before + 17 + 800_000_000)).isZero();
  }

  @Test
  void tellsResetsDuplicateAcknowledgmentsAndProbesApart() {
    Wire.Dialogue dialogue = new Wire.Dialogue(40_000, 7, 9);
    dialogue.data(true, 10); // not acknowledged yet
    int seen = dialogue.next(true) - 10;
    dialogue.say(false, dialogue.next(false), seen, TcpSegment.ACK, 0);
    dialogue.say(false, dialogue.next(false), seen, TcpSegment.ACK, 0);
    dialogue.say(false, dialogue.next(false) - 1, seen, TcpSegment.ACK, 0);
    dialogue.say(true, dialogue.next(true) - 1, dialogue.next(false), TcpSegment.ACK, 1);
    dialogue.say(false, dialogue.next(false), 0, TcpSegment.RST, 0);

    WireTrace trace = of(dialogue.segments());

    // The first one acknowledges as much as the SYN's answer did, so both are duplicates.
    assertThat(trace.duplicateAcks()).isEqualTo(2);
    assertThat(trace.probes()).isEqualTo(2);
    assertThat(trace.resets()).isEqualTo(1);
    assertThat(trace.retransmissions()).isEmpty();
  }

  @Test
  void aConnectionThatIsOpenedTwiceWithTheSamePortIsNoRetransmission() {
    Wire.Dialogue first = new Wire.Dialogue(40_000, 1_000_000, 5);
    first.data(true, 10);
    Wire.Dialogue second = new Wire.Dialogue(40_000, 10, 900);
    second.data(true, 10);
    List<TcpSegment> both = new ArrayList<>(first.segments());
    both.addAll(second.segments());

    assertThat(of(both).retransmissions()).isEmpty();
  }

  @Test
  void aFirstSegmentThatIsSentAgainIsOne() {
    Wire.Dialogue dialogue = new Wire.Dialogue(40_000, 100, 5);
    dialogue.say(true, 100, 0, TcpSegment.SYN, 0);

    assertThat(of(dialogue.segments()).retransmissions()).hasSize(1);
  }

  @Test
  void otherPortsAreNotLookedAt() {
    assertThat(WireTrace.of(new Wire.Dialogue(40_000, 1, 1).segments(), 7440, 0, 0).segments())
        .isZero();
  }
}
