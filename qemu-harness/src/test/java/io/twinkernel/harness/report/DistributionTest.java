package io.twinkernel.harness.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class DistributionTest {

  @Test
  void ofOne() {
    assertThat(Distribution.of(List.of(3.0))).isEqualTo(new Distribution(1, 3, 3, 3, 3));
  }

  @Test
  void ofTwenty() {
    List<Double> figures = new ArrayList<>();
    for (int i = 20; i >= 1; i--) {
      figures.add((double) i);
    }
    assertThat(Distribution.of(figures)).isEqualTo(new Distribution(20, 1, 10.5, 18, 20));
  }

  @Test
  void halfAreOnEachSideWhateverTheyAre() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 500; round++) {
      List<Double> figures = random.doubles(1 + random.nextInt(50), -5, 5).boxed().toList();
      Distribution found = Distribution.of(figures);
      long below = figures.stream().filter(one -> one <= found.median()).count();
      long above = figures.stream().filter(one -> one >= found.median()).count();
      assertThat(below * 2).isGreaterThanOrEqualTo(figures.size());
      assertThat(above * 2).isGreaterThanOrEqualTo(figures.size());
      assertThat(figures).contains(found.least(), found.p90(), found.worst());
      assertThat(figures.stream().filter(one -> one <= found.p90()).count() * 10)
          .isGreaterThanOrEqualTo(9L * figures.size());
    }
  }

  @Test
  void ofNoneIsNone() {
    assertThatThrownBy(() -> Distribution.of(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
