package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

final class ProcessDeltaTest {

  @RepeatedTest(50)
  void comesOverUnchangedOrNotAtAll(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    ProcessDelta delta = any(random);
    byte[] bytes = delta.toBytes();

    ProcessDelta read = ProcessDelta.fromBytes(bytes);

    assertThat(read.pid()).isEqualTo(delta.pid());
    assertThat(read.connections()).isEqualTo(delta.connections());
    assertThat(read.offsets()).isEqualTo(delta.offsets());
    assertThat(read.timer()).isEqualTo(delta.timer());
    assertThat(read.timers()).isEqualTo(delta.timers());
    assertThat(read.signals()).isEqualTo(delta.signals());
    assertThat(read.toBytes()).isEqualTo(bytes);
    byte[] cut = Arrays.copyOf(bytes, random.nextInt(bytes.length));
    assertThatThrownBy(() -> ProcessDelta.fromBytes(cut)).isInstanceOf(IOException.class);
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
    assertThatThrownBy(() -> ProcessDelta.fromBytes(longer)).isInstanceOf(IOException.class);
  }

  private static ProcessDelta any(Random random) {
    var threads = new ArrayList<ThreadState>();
    for (int i = random.nextInt(4); i >= 0; i--) {
      threads.add(
          new ThreadState(
              random.nextInt(), bytes(random, 216), bytes(random, 2696), random.nextLong()));
    }
    var connections = new ArrayList<TcpState>();
    for (int i = random.nextInt(4); i > 0; i--) {
      connections.add(
          new TcpState(
              random.nextInt(),
              random.nextInt(),
              bytes(random, 16),
              bytes(random, 28),
              random.nextInt(),
              random.nextInt(),
              random.nextInt(),
              random.nextInt(),
              bytes(random, 20),
              random.nextInt(),
              random.nextInt(),
              bytes(random, random.nextInt(3000)),
              bytes(random, random.nextInt(3000)),
              random.nextInt(3000)));
    }
    var offsets = new ArrayList<ProcessDelta.Offset>();
    for (int i = random.nextInt(3); i > 0; i--) {
      offsets.add(new ProcessDelta.Offset(random.nextInt(), random.nextLong()));
    }
    Optional<IntervalTimer> timer =
        random.nextBoolean()
            ? Optional.empty()
            : Optional.of(new IntervalTimer(random.nextLong(), random.nextLong()));
    var timers = new ArrayList<TimerState>();
    for (int i = random.nextInt(3); i > 0; i--) {
      timers.add(
          new TimerState(
              random.nextInt(),
              random.nextInt(),
              random.nextInt(),
              random.nextLong(),
              random.nextLong(),
              random.nextLong()));
    }
    var signals = new ArrayList<PendingSignal>();
    for (int i = random.nextInt(3); i > 0; i--) {
      signals.add(new PendingSignal(random.nextBoolean(), bytes(random, 128)));
    }
    return new ProcessDelta(
        random.nextInt(), threads, connections, offsets, timer, timers, signals);
  }

  private static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }
}
