package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which pages of a stopped process changed since the last look, by the soft-dirty bits of {@code
 * /proc/PID/pagemap} (Documentation/admin-guide/mm/soft-dirty.rst, pagemap.rst). The twin module
 * tells the same of many pages in a fraction of the time.
 */
final class PageScan implements AutoCloseable {
  static final int PAGE = 4096;

  // Bits of an entry.
  private static final int SOFT_DIRTY = 55;
  private static final int FILE = 61;
  private static final int SWAPPED = 62;
  private static final int PRESENT = 63;
  private static final int ENTRIES = 1 << 16;

  private final int pid;
  private final Fd pagemap;
  private final @Nullable TwinDevice module;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment entries = arena.allocate((long) ENTRIES * Long.BYTES, Long.BYTES);
  // Walked in the heap: a compiler of little ambition makes of each access to a segment a call.
  private final long[] chunk = new long[ENTRIES];
  private final List<PageSpan> spans;
  private final List<PageSpan> shared;
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

  private PageScan(
      int pid,
      List<PageSpan> spans,
      List<PageSpan> shared,
      Fd pagemap,
      @Nullable TwinDevice module) {
    this.pid = pid;
    this.spans = spans;
    this.shared = shared;
    this.pagemap = pagemap;
    this.module = module;
  }

  /**
   * Of a process that may run; counting begins with the first {@link #next}.
   *
   * @param map its areas, which stay as they are
   */
  static PageScan open(int pid, MemoryMap map) throws IOException {
    List<PageSpan> spans = PageSpan.of(map);
    List<PageSpan> shared = PageSpan.of(map, MemoryMap.Area::sharedMemory);
    TwinDevice module = Files.exists(Path.of(TwinDevice.PATH)) ? TwinDevice.open() : null;
    try {
      Fd pagemap = Fd.open("/proc/" + pid + "/pagemap", Linux.O_RDONLY());
      return new PageScan(pid, spans, shared, pagemap, module);
    } catch (IOException e) {
      if (module != null) {
        module.close();
      }
      throw e;
    }
  }

  /**
   * Looks at all pages and starts to count anew. The process must be stopped: a page written
   * between both would be missed.
   */
  Changes next() throws IOException {
    Changes changes = look();
    forget();
    return changes;
  }

  /**
   * Takes for what the copy has what a fork has, which is stopped. What the process itself has
   * besides is new to the copy.
   *
   * @param fork of the process, with the same areas
   */
  void noteFork(int fork) throws IOException {
    try (var of =
        new PageScan(
            fork,
            spans,
            List.of(),
            Fd.open("/proc/" + fork + "/pagemap", Linux.O_RDONLY()),
            null)) {
      of.look();
      before = of.before;
    }
  }

  /** Starts to count anew, without a look at what is dirty. */
  void forget() throws IOException {
    forget(pid);
  }

  /** Likewise of a process that may run: what it writes from here on is dirty. */
  static void forget(int pid) throws IOException {
    SysFiles.write("/proc/" + pid + "/clear_refs", "4");
  }

  /** As {@link #next}, but what is dirty stays so. */
  Changes look() throws IOException {
    var dirty = new ArrayList<Range>();
    var gone = new ArrayList<Range>();
    var now = new ArrayList<BitSet>();
    boolean first = before.isEmpty();
    for (PageSpan span : spans) {
      Pages pages = look(span);
      BitSet dirtied = pages.dirty();
      if (!first) {
        BitSet had = before.get(now.size());
        BitSet gained = (BitSet) pages.own().clone();
        gained.andNot(had);
        dirtied.or(gained);
        had.andNot(pages.own());
        span.runs(had, gone);
      }
      span.runs(dirtied, dirty);
      now.add(pages.own());
    }
    before = now;
    for (PageSpan span : shared) {
      span.runs(written(span), dirty);
    }
    return new Changes(dirty, gone);
  }

  /**
   * Pages of shared memory that this process has written. Those that it has no entry for others may
   * have content for, which they say.
   */
  private BitSet written(PageSpan span) throws IOException {
    var written = new long[words(span.pages())];
    for (int from = 0; from < span.pages(); from += ENTRIES) {
      int count = load(span, from);
      for (int word = 0; word < words(count); word++) {
        written[from / Long.SIZE + word] = written(chunk, word * Long.SIZE);
      }
    }
    return span.only(written);
  }

  /**
   * Pages of a span.
   *
   * @param own that have content of their own
   * @param dirty those of them that were written
   */
  private record Pages(BitSet own, BitSet dirty) {}

  private Pages look(PageSpan span) throws IOException {
    var own = new long[words(span.pages())];
    var changed = new long[own.length];
    if (!ask(span, own, changed)) {
      read(span, own, changed);
    }
    return new Pages(span.only(own), span.only(changed));
  }

  /** By the module, where it is there and can say it. */
  private boolean ask(PageSpan span, long[] own, long[] changed) throws IOException {
    if (module == null) {
      return false;
    }
    try (Arena room = Arena.ofConfined()) {
      MemorySegment owned = room.allocate(ValueLayout.JAVA_LONG, own.length);
      MemorySegment dirty = room.allocate(ValueLayout.JAVA_LONG, own.length);
      module.pages(pid, span.start(), span.pages(), owned, dirty);
      MemorySegment.copy(owned, ValueLayout.JAVA_LONG, 0, own, 0, own.length);
      MemorySegment.copy(dirty, ValueLayout.JAVA_LONG, 0, changed, 0, own.length);
      return true;
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EAGAIN) || e.errno().equals(Errno.EOPNOTSUPP)) {
        return false;
      }
      throw e;
    }
  }

  /** By pagemap, which has a word for each. */
  private void read(PageSpan span, long[] own, long[] changed) throws IOException {
    for (int from = 0; from < span.pages(); from += ENTRIES) {
      int count = load(span, from);
      for (int word = 0; word < words(count); word++) {
        own[from / Long.SIZE + word] = own(chunk, word * Long.SIZE);
        changed[from / Long.SIZE + word] = changed(chunk, word * Long.SIZE);
      }
    }
  }

  /** Reads a chunk of entries; returns how many. What is beyond the last one is no page. */
  private int load(PageSpan span, int from) throws IOException {
    int count = Math.min(ENTRIES, span.pages() - from);
    read(span.start() / PAGE + from, count);
    Arrays.fill(chunk, count, words(count) * Long.SIZE, 0);
    return count;
  }

  private static int words(int pages) {
    return (pages + Long.SIZE - 1) / Long.SIZE;
  }

  // Both without a branch or a call for each page: of these there are many.

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

  private void read(long page, int count) throws IOException {
    MemorySegment wanted = entries.asSlice(0, (long) count * Long.BYTES);
    int read = pagemap.read(wanted, page * Long.BYTES);
    if (read != wanted.byteSize()) {
      throw Unstageable.now(
          "/proc/" + pid + "/pagemap gave " + read + " bytes instead of " + wanted.byteSize());
    }
    MemorySegment.copy(entries, ValueLayout.JAVA_LONG, 0, chunk, 0, count);
  }

  @Override
  public void close() throws IOException {
    try (arena;
        pagemap) {
      if (module != null) {
        module.close();
      }
    }
  }
}
