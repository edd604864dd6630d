package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.RemoteMemory.Range;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/** Against sets of bits. */
final class AddressRangesTest {
  private static final int MOST = 200;

  @RepeatedTest(100)
  void areWhatSetsAre(RepetitionInfo repetition) {
    var random = new Random(repetition.getCurrentRepetition());
    BitSet one = any(random);
    BitSet other = any(random);
    BitSet common = (BitSet) one.clone();
    common.and(other);
    BitSet rest = (BitSet) one.clone();
    rest.andNot(other);

    assertThat(AddressRanges.common(ranges(one), ranges(other))).isEqualTo(ranges(common));
    assertThat(AddressRanges.without(ranges(one), ranges(other))).isEqualTo(ranges(rest));
  }

  private static BitSet any(Random random) {
    var set = new BitSet();
    for (int i = random.nextInt(12); i > 0; i--) {
      int from = random.nextInt(MOST);
      set.set(from, from + random.nextInt(20));
    }
    return set;
  }

  private static List<Range> ranges(BitSet set) {
    var ranges = new ArrayList<Range>();
    for (int from = set.nextSetBit(0), to; from >= 0; from = set.nextSetBit(to)) {
      to = set.nextClearBit(from);
      ranges.add(new Range(from, to - from));
    }
    return ranges;
  }
}
