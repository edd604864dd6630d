package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class PagemapEntriesTest {
  private static final long SOFT_DIRTY = 1L << 55;
  private static final long FILE = 1L << 61;
  private static final long SWAPPED = 1L << 62;
  private static final long PRESENT = 1L << 63;

  /** Documentation/admin-guide/mm/pagemap.rst, entry by entry. */
  @Test
  void bitsAreWhatThePagemapSays() {
    var random = new Random(61);
    var entries = new long[3 * Long.SIZE];
    for (int round = 0; round < 1000; round++) {
      for (int i = 0; i < entries.length; i++) {
        entries[i] = random.nextLong();
      }
      for (int from = 0; from < entries.length; from += Long.SIZE) {
        long own = PagemapEntries.own(entries, from);
        long changed = PagemapEntries.changed(entries, from);
        long written = PagemapEntries.written(entries, from);
        for (int i = 0; i < Long.SIZE; i++) {
          long entry = entries[from + i];
          boolean content = (entry & (PRESENT | SWAPPED)) != 0 && (entry & FILE) == 0;
          assertThat(own >>> i & 1).isEqualTo(content ? 1 : 0);
          boolean there = (entry & (PRESENT | SWAPPED)) != 0;
          assertThat(written >>> i & 1).isEqualTo(there && (entry & SOFT_DIRTY) != 0 ? 1 : 0);
          assertThat(changed >>> i & 1).isEqualTo(content && (entry & SOFT_DIRTY) != 0 ? 1 : 0);
        }
      }
    }
  }
}
