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

  private static final int ENTRIES = 1 << 16;

  private final int pid;
  private final Fd pagemap;
  private final @Nullable TwinDevice module;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment entries = arena.allocate((long) ENTRIES * Long.BYTES, Long.BYTES);
  // Walked in the heap: a compiler of little ambition makes of each access to a segment a call.
  private final long[] chunk = new long[ENTRIES];
  private PageLayout layout;

  /** Shared memory that one may have written to who has no entries for it any more. */
  private List<Range> suspected = List.of();

  /** The pages of each span that the copy has content of its own for; empty before a look. */
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

  private PageScan(int pid, PageLayout layout, Fd pagemap, @Nullable TwinDevice module) {
    this.pid = pid;
    this.layout = layout;
    this.pagemap = pagemap;
    this.module = module;
  }

  /**
   * Of a process that may run; counting begins with the first {@link #next}.
   *
   * @param map its areas, which stay as they are until {@link #remap}
   */
  static PageScan open(int pid, MemoryMap map) throws IOException {
    PageLayout layout = PageLayout.of(map);
    TwinDevice module = Files.exists(Path.of(TwinDevice.PATH)) ? TwinDevice.open() : null;
    try {
      return new PageScan(pid, layout, pagemap(pid), module);
    } catch (IOException e) {
      if (module != null) {
        module.close();
      }
      throw e;
    }
  }

  private static Fd pagemap(int pid) throws IOException {
    return Fd.open("/proc/" + pid + "/pagemap", Linux.O_RDONLY());
  }

  /**
   * Goes on with other areas. The next look says what a copy lacks that has been laid out anew by
   * {@link MemoryReshaping} meanwhile: it has what it had where memory stayed what it was, and
   * nothing elsewhere. Each page with content that it does not have is new to it, whatever the
   * soft-dirty bits say; one that it has is compared by these as ever. For what was unmapped and
   * mapped again in between has no content, or has been written since, which its pages tell
   * themselves. Only mremap(2) moves pages without a mark, where it moves a whole page table: a
   * process that has called it since the last look is not to go on so.
   *
   * @param map what the process has now, of which the copy hears, too
   */
  void remap(MemoryMap map) throws IOException {
    var content = new ArrayList<Range>();
    for (int i = 0; i < before.size(); i++) {
      layout.spans().get(i).runs(before.get(i), content);
    }
    PageLayout next = layout.with(map, content);
    if (!before.isEmpty()) {
      List<Range> kept = AddressRanges.common(content, layout.kept(next));
      var known = new ArrayList<BitSet>();
      for (PageSpan span : next.spans()) {
        known.add(span.within(kept));
      }
      before = known;
    }
    layout = next;
  }

  /**
   * Looks at all pages and starts to count anew. The process must be stopped: a page written
   * between both would be missed.
   */
  Changes next() throws IOException {
    Changes changes = look();
    forget();
    suspected = List.of();
    return changes;
  }

  /**
   * Takes for what the copy has what a fork has, which is stopped. What the process itself has
   * besides is new to the copy.
   *
   * @param fork of the process, with the same areas
   */
  void noteFork(int fork) throws IOException {
    try (var of = new PageScan(fork, layout, pagemap(fork), null)) {
      of.lookAtPrivate(new Changes(new ArrayList<>(), new ArrayList<>()));
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

  /**
   * Takes shared memory for dirty until the next {@link #next}.
   *
   * @param content where there is any, in the order of addresses
   */
  void suspect(List<Range> content) {
    suspected = List.copyOf(content);
  }

  /** How much {@link #suspect} has named, in bytes. */
  long suspectedBytes() {
    long bytes = 0;
    for (Range range : suspected) {
      bytes += range.bytes();
    }
    return bytes;
  }

  /** As {@link #next}, but what is dirty stays so. */
  Changes look() throws IOException {
    var changes = new Changes(new ArrayList<>(), new ArrayList<>());
    lookAtPrivate(changes);
    for (PageSpan span : layout.shared()) {
      BitSet written = written(span);
      written.or(span.within(suspected));
      span.runs(written, changes.dirty());
    }
    return changes;
  }

  private void lookAtPrivate(Changes changes) throws IOException {
    var now = new ArrayList<BitSet>();
    boolean first = before.isEmpty();
    for (PageSpan span : layout.spans()) {
      Pages pages = look(span);
      if (!first) {
        compare(span, before.get(now.size()), pages, changes);
      }
      span.runs(pages.dirty(), changes.dirty());
      now.add(pages.own());
    }
    before = now;
  }

  /** Adds to what is dirty what it has gained. */
  private static void compare(PageSpan span, BitSet had, Pages pages, Changes changes) {
    BitSet gained = (BitSet) pages.own().clone();
    gained.andNot(had);
    pages.dirty().or(gained);
    BitSet lost = (BitSet) had.clone();
    lost.andNot(pages.own());
    // Where a file is below, its content shows again.
    BitSet uncovered = (BitSet) lost.clone();
    uncovered.and(span.ofFiles());
    pages.dirty().or(uncovered);
    lost.andNot(uncovered);
    span.runs(lost, changes.gone());
  }

  /**
   * Pages of shared memory that this process has written. Those that it has no entry for others may
   * have content for, which they say.
   */
  private BitSet written(PageSpan span) throws IOException {
    var written = new long[words(span.pages())];
    if (ask(span, new long[written.length], written)) {
      return span.only(written);
    }
    for (int from = 0; from < span.pages(); from += ENTRIES) {
      int count = load(span, from);
      for (int word = 0; word < words(count); word++) {
        written[from / Long.SIZE + word] = PagemapEntries.written(chunk, word * Long.SIZE);
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
        own[from / Long.SIZE + word] = PagemapEntries.own(chunk, word * Long.SIZE);
        changed[from / Long.SIZE + word] = PagemapEntries.changed(chunk, word * Long.SIZE);
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
