package io.twinkernel.broker.prestage;

/**
 * Entries of {@code /proc/PID/pagemap}, a word for each page
 * (Documentation/admin-guide/mm/pagemap.rst).
 */
final class PagemapEntries {
  private static final int SOFT_DIRTY = 55;
  private static final int FILE = 61;
  private static final int SWAPPED = 62;
  private static final int PRESENT = 63;

  private PagemapEntries() {}

  // All without a branch or a call for each page: of these there are many.

  /** A bit for each of 64 entries: whether it has content of its own. */
  static long own(long[] entries, int from) {
    long bits = 0;
    for (int i = 0; i < Long.SIZE; i++) {
      bits |= own(entries[from + i]) << i;
    }
    return bits;
  }

  /** A bit for each of 64 entries: whether that content changed. */
  static long changed(long[] entries, int from) {
    long bits = 0;
    for (int i = 0; i < Long.SIZE; i++) {
      long entry = entries[from + i];
      bits |= (own(entry) & entry >>> SOFT_DIRTY) << i;
    }
    return bits;
  }

  /** A bit for each of 64 entries: whether it was written, whoever else has the page. */
  static long written(long[] entries, int from) {
    long bits = 0;
    for (int i = 0; i < Long.SIZE; i++) {
      long entry = entries[from + i];
      bits |= ((entry >>> PRESENT | entry >>> SWAPPED) & entry >>> SOFT_DIRTY & 1) << i;
    }
    return bits;
  }

  private static long own(long entry) {
    return (entry >>> PRESENT | entry >>> SWAPPED) & ~(entry >>> FILE) & 1;
  }
}
