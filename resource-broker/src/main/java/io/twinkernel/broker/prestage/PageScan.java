package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Which pages of a stopped process changed since the last look, by the soft-dirty bits of {@code
 * /proc/PID/pagemap} (Documentation/admin-guide/mm/soft-dirty.rst, pagemap.rst).
 */
final class PageScan implements AutoCloseable {
  static final int PAGE = 4096;

  private static final long SOFT_DIRTY = 1L << 55;
  private static final long FILE = 1L << 61;
  private static final long SWAPPED = 1L << 62;
  private static final long PRESENT = 1L << 63;
  private static final int ENTRIES = 1 << 16;

  private final int pid;
  private final Fd pagemap;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment entries = arena.allocate((long) ENTRIES * Long.BYTES, Long.BYTES);
  // Walked in the heap: a compiler of little ambition makes of each access to a segment a call.
  private final long[] chunk = new long[ENTRIES];
  private List<BitSet> before = List.of();

  /**
   * What changed.
   *
   * @param dirty ranges with new content
   * @param gone ranges that had content and read as zeros now
   */
  record Changes(List<Range> dirty, List<Range> gone) {
    long bytes() {
      return dirty.stream().mapToLong(Range::bytes).sum();
    }
  }

  private PageScan(int pid, Fd pagemap) {
    this.pid = pid;
    this.pagemap = pagemap;
  }

  /** Of a process that may run; counting begins with the first {@link #next}. */
  static PageScan open(int pid) throws IOException {
    return new PageScan(pid, Fd.open("/proc/" + pid + "/pagemap", Linux.O_RDONLY()));
  }

  /**
   * Looks at all pages and starts to count anew. The process must be stopped: a page written
   * between both would be missed.
   *
   * @param map the same areas as in the call before
   */
  Changes next(MemoryMap map) throws IOException {
    Changes changes = look(map);
    clear();
    return changes;
  }

  /** Forgets what is dirty. */
  private void clear() throws IOException {
    SysFiles.write("/proc/" + pid + "/clear_refs", "4");
  }

  /** As {@link #next}, but what is dirty stays so. */
  Changes look(MemoryMap map) throws IOException {
    var dirty = new ArrayList<Range>();
    var gone = new ArrayList<Range>();
    var now = new ArrayList<BitSet>();
    boolean first = before.isEmpty();
    for (MemoryMap.Area area : map.areas()) {
      var present = new BitSet();
      if (area.copied()) {
        look(area, present, dirty);
        if (!first) {
          BitSet lost = (BitSet) before.get(now.size()).clone();
          lost.andNot(present);
          runs(area.start(), lost, gone);
        }
      }
      now.add(present);
    }
    before = now;
    return new Changes(dirty, gone);
  }

  private void look(MemoryMap.Area area, BitSet present, List<Range> dirty) throws IOException {
    long pages = (area.end() - area.start()) / PAGE;
    long run = -1;
    for (long from = 0; from < pages; from += ENTRIES) {
      int count = (int) Math.min(ENTRIES, pages - from);
      read(area.start() / PAGE + from, count);
      for (int i = 0; i < count; i++) {
        long entry = chunk[i];
        boolean own = (entry & (PRESENT | SWAPPED)) != 0 && (entry & FILE) == 0;
        if (own) {
          present.set((int) (from + i));
        }
        boolean changed = own && (entry & SOFT_DIRTY) != 0;
        if (changed && run < 0) {
          run = from + i;
        } else if (!changed && run >= 0) {
          dirty.add(range(area.start(), run, from + i));
          run = -1;
        }
      }
    }
    if (run >= 0) {
      dirty.add(range(area.start(), run, pages));
    }
  }

  private void read(long page, int count) throws IOException {
    MemorySegment wanted = entries.asSlice(0, (long) count * Long.BYTES);
    int read = pagemap.read(wanted, page * Long.BYTES);
    if (read != wanted.byteSize()) {
      throw new IOException(
          "/proc/" + pid + "/pagemap gave " + read + " bytes instead of " + wanted.byteSize());
    }
    MemorySegment.copy(entries, ValueLayout.JAVA_LONG, 0, chunk, 0, count);
  }

  private static void runs(long start, BitSet pages, List<Range> into) {
    for (int from = pages.nextSetBit(0), to; from >= 0; from = pages.nextSetBit(to)) {
      to = pages.nextClearBit(from);
      into.add(range(start, from, to));
    }
  }

  private static Range range(long start, long fromPage, long toPage) {
    return new Range(start + fromPage * PAGE, (toPage - fromPage) * PAGE);
  }

  @Override
  public void close() throws IOException {
    pagemap.close();
    arena.close();
  }
}
