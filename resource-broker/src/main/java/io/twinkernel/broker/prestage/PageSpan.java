package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.RemoteMemory.Range;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Predicate;

/**
 * Pages that are looked at in one go: areas that are near each other, as those of libraries are,
 * with what lies between them. To ask for each area alone takes longer than its pages do.
 *
 * @param start address of the first page
 * @param pages how many
 * @param copied those of them that belong to areas that are copied
 */
record PageSpan(long start, int pages, BitSet copied) {
  /** As many pages in between are looked at in vain rather than asked around. */
  private static final long NEAR = 512;

  /** Those that all areas which are copied are in, by address. */
  static List<PageSpan> of(MemoryMap map) throws IOException {
    return of(map, MemoryMap.Area::copied);
  }

  /** Those that all areas of a kind are in, by address. */
  static List<PageSpan> of(MemoryMap map, Predicate<MemoryMap.Area> kind) throws IOException {
    var spans = new ArrayList<PageSpan>();
    long start = 0;
    long end = 0;
    BitSet copied = new BitSet();
    for (MemoryMap.Area area : map.areas()) {
      if (!kind.test(area)) {
        continue;
      }
      if (area.start() - end > NEAR * PageScan.PAGE || end == 0) {
        if (end > 0) {
          spans.add(new PageSpan(start, count(start, end), copied));
        }
        start = area.start();
        copied = new BitSet();
      }
      end = area.end();
      copied.set(count(start, area.start()), count(start, end));
    }
    if (end > 0) {
      spans.add(new PageSpan(start, count(start, end), copied));
    }
    return List.copyOf(spans);
  }

  private static int count(long from, long to) throws IOException {
    long pages = (to - from) / PageScan.PAGE;
    if (pages > Integer.MAX_VALUE - Long.SIZE) {
      throw new Unstageable("its memory has " + pages + " pages in a row");
    }
    return (int) pages;
  }

  /** Of a bit for each page, those of pages that are copied. */
  BitSet only(long[] bits) {
    BitSet pages = BitSet.valueOf(bits);
    pages.and(copied);
    return pages;
  }

  /** The addresses of pages, one range for all that follow one another. */
  void runs(BitSet which, List<Range> into) {
    for (int from = which.nextSetBit(0), to; from >= 0; from = which.nextSetBit(to)) {
      to = which.nextClearBit(from);
      into.add(new Range(start + (long) from * PageScan.PAGE, (long) (to - from) * PageScan.PAGE));
    }
  }
}
