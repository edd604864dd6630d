package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.broker.process.ThreadAttributes.RestartableSequences;
import io.twinkernel.broker.process.ThreadAttributes.Scheduling;
import io.twinkernel.broker.process.ThreadAttributes.SignalStack;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

final class ThreadChangesTest {
  private static ThreadAttributes thread(Random random) {
    return new ThreadAttributes(
        random.nextInt(),
        "GC Thread#" + random.nextInt(10) + (random.nextBoolean() ? "ü" : ""),
        random.nextLong(),
        new SignalStack(random.nextLong(), random.nextLong(), random.nextInt()),
        random.nextLong(),
        24,
        random.nextInt(64),
        new Scheduling(random.nextInt(-20, 20), random.nextInt(6), random.nextInt(100)),
        random.nextBoolean()
            ? Optional.of(
                new RestartableSequences(random.nextLong(), random.nextInt(), random.nextInt()))
            : Optional.empty());
  }

  private static List<ThreadAttributes> threads(Random random) {
    return random.ints(random.nextInt(4)).mapToObj(_ -> thread(random)).toList();
  }

  private static ThreadChanges changes(Random random) {
    List<Integer> ended = random.ints(random.nextInt(4)).boxed().toList();
    return new ThreadChanges(random.nextInt(), ended, threads(random), threads(random));
  }

  @RepeatedTest(50)
  void arrivesAsItWas(RepetitionInfo repetition) throws Exception {
    ThreadChanges changes = changes(new Random(repetition.getCurrentRepetition()));
    assertThat(ThreadChanges.fromBytes(changes.toBytes())).isEqualTo(changes);
  }

  @Test
  void whatIsCutOffOrTooLongIsRefused() throws Exception {
    byte[] bytes = changes(new Random(3)).toBytes();
    for (int length = 0; length < bytes.length; length++) {
      byte[] less = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> ThreadChanges.fromBytes(less)).isInstanceOf(IOException.class);
    }
    byte[] more = Arrays.copyOf(bytes, bytes.length + 1);
    assertThatThrownBy(() -> ThreadChanges.fromBytes(more)).isInstanceOf(IOException.class);
  }

  @RepeatedTest(200)
  void damageIsNoMoreThanAnException(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    byte[] bytes = changes(random).toBytes();
    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
    try {
      assertThat(ThreadChanges.fromBytes(bytes)).isNotNull();
    } catch (IOException damaged) {
      assertThat(damaged.getMessage()).isNotBlank();
    }
  }
}
