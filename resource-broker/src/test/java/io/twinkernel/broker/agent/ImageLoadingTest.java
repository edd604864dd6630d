package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ImageLoadingTest {
  private static final BitSet ALL = cpus(0, 1, 2, 3);

  @Test
  void isDoneOnACpuThatGoesToB() {
    assertThat(ImageLoading.quiet(List.of(3, 2), ALL, Set.of(1))).isEqualTo(cpus(2, 3));
    assertThat(ImageLoading.quiet(List.of(3, 2), ALL, Set.of(2))).isEqualTo(cpus(3));
  }

  @Test
  void isDoneElsewhereWhereTheNicInterruptsThose() {
    assertThat(ImageLoading.quiet(List.of(3, 2), ALL, Set.of(2, 3))).isEqualTo(cpus(0, 1));
    assertThat(ImageLoading.quiet(List.of(3), cpus(0, 2), Set.of(2))).isEqualTo(cpus(0));
  }

  @Test
  void isDoneAnywhereWhereTheNicInterruptsAll() {
    assertThat(ImageLoading.quiet(List.of(3), ALL, Set.of(0, 1, 2, 3))).isEqualTo(ALL);
  }

  private static BitSet cpus(int... numbers) {
    BitSet cpus = new BitSet();
    for (int number : numbers) {
      cpus.set(number);
    }
    return cpus;
  }
}
