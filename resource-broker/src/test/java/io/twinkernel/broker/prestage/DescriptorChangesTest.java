package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

final class DescriptorChangesTest {

  @RepeatedTest(50)
  void comeOverUnchangedOrNotAtAll(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    DescriptorChanges changes = any(random);
    byte[] bytes = changes.toBytes();

    assertThat(DescriptorChanges.fromBytes(bytes)).isEqualTo(changes);
    byte[] cut = Arrays.copyOf(bytes, random.nextInt(bytes.length));
    assertThatThrownBy(() -> DescriptorChanges.fromBytes(cut)).isInstanceOf(IOException.class);
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
    assertThatThrownBy(() -> DescriptorChanges.fromBytes(longer)).isInstanceOf(IOException.class);
  }

  @RepeatedTest(200)
  void damageIsNoMoreThanAnException(RepetitionInfo repetition) throws Exception {
    var random = new Random(repetition.getCurrentRepetition());
    byte[] bytes = any(random).toBytes();
    bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    try {
      assertThat(DescriptorChanges.fromBytes(bytes).toBytes()).isEqualTo(bytes);
    } catch (IOException damaged) {
      assertThat(damaged).hasMessageNotContaining("null");
    }
  }

  private static DescriptorChanges any(Random random) {
    var connections = new ArrayList<DescriptorChanges.Connection>();
    for (int i = random.nextInt(4); i > 0; i--) {
      var options = new ArrayList<SocketOption>();
      for (int left = random.nextInt(4); left > 0; left--) {
        byte[] value = new byte[random.nextInt(17)];
        random.nextBytes(value);
        options.add(new SocketOption(random.nextInt(), random.nextInt(), value));
      }
      connections.add(
          new DescriptorChanges.Connection(
              random.nextInt(), random.nextInt(), random.nextInt(), options));
    }
    var epolls = new ArrayList<DescriptorChanges.Epoll>();
    for (int i = random.nextInt(3); i > 0; i--) {
      var interests = new ArrayList<EpollInterest>();
      for (int left = random.nextInt(5); left > 0; left--) {
        interests.add(
            new EpollInterest(
                random.nextInt(), random.nextInt(), random.nextLong(), random.nextLong()));
      }
      epolls.add(new DescriptorChanges.Epoll(random.nextInt(), random.nextInt(), interests));
    }
    List<Integer> closed = random.ints(random.nextInt(5)).boxed().toList();
    var counters = new ArrayList<DescriptorChanges.Counter>();
    for (int i = random.nextInt(3); i > 0; i--) {
      counters.add(new DescriptorChanges.Counter(random.nextInt(), random.nextLong()));
    }
    Optional<List<DiskFile>> files = Optional.empty();
    if (random.nextBoolean()) {
      var all = new ArrayList<DiskFile>();
      for (int i = random.nextInt(3); i > 0; i--) {
        all.add(
            new DiskFile(
                random.nextInt(),
                "/srv/d\u00e4ta-" + random.nextInt(),
                random.nextInt(),
                random.nextLong(),
                random.nextInt(),
                random.nextBoolean()
                    ? Optional.empty()
                    : Optional.of(
                        new DiskFile.Opening(1 + random.nextInt(4000), random.nextInt()))));
      }
      files = Optional.of(all);
    }
    var timers = new ArrayList<DescriptorChanges.Timer>();
    for (int i = random.nextInt(3); i > 0; i--) {
      timers.add(new DescriptorChanges.Timer(random.nextInt(), random.nextInt(), random.nextInt()));
    }
    return new DescriptorChanges(
        random.nextInt(), closed, connections, epolls, counters, timers, files);
  }
}
