package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.RemoteMemory.Range;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Pages that are looked at in one go: areas that are near each other, as those of libraries are,
 * with what lies between them. To ask for each area alone takes longer than its pages do.
 *
 * @param start address of the first page
 * @param pages how many
 * @param copied those of them that belong to areas that are copied
 * @param ofFiles those of them that read as a file where they have no content of their own
 */
record PageSpan(long start, int pages, BitSet copied, BitSet ofFiles) {
  /** As many pages in between are looked at in vain rather than asked around. */
  private static final long NEAR = 512 * PageScan.PAGE;

  /** Those that all of some areas are in, which are in the order of addresses. */
  static List<PageSpan> of(List<MemoryMap.Area> areas) throws IOException {
    var spans = new ArrayList<PageSpan>();
    for (int first = 0, next; first < areas.size(); first = next) {
      next = first + 1;
      while (next < areas.size() && areas.get(next).start() - areas.get(next - 1).end() <= NEAR) {
        next++;
      }
      spans.add(span(areas.subList(first, next)));
    }
    return List.copyOf(spans);
  }

  private static PageSpan span(List<MemoryMap.Area> areas) throws IOException {
    long start = areas.getFirst().start();
    var copied = new BitSet();
    var ofFiles = new BitSet();
    for (MemoryMap.Area area : areas) {
      int from = count(start, area.start());
      int to = count(start, area.end());
      copied.set(from, to);
      ofFiles.set(from, to, area.ofFile());
    }
    return new PageSpan(start, count(start, areas.getLast().end()), copied, ofFiles);
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

  /** Its pages that are copied and in one of some ranges, which are in the order of addresses. */
  BitSet within(List<Range> ranges) {
    var pages = new BitSet();
    long end = start + (long) pages() * PageScan.PAGE;
    for (Range range : ranges) {
      long from = Math.max(start, range.address());
      long to = Math.min(end, range.address() + range.bytes());
      if (from < to) {
        pages.set((int) ((from - start) / PageScan.PAGE), (int) ((to - start) / PageScan.PAGE));
      }
    }
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
