package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.MemoryMap.Area;
import io.twinkernel.ffi.RemoteMemory.Range;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a process may have pages that are looked at.
 *
 * <p>Memory that nobody can touch is not: much may be reserved so, and nothing be there. But where
 * it became that only after it could be touched, it may have content, which counts when it can be
 * touched again, in this kernel or the other.
 *
 * @param map its areas
 * @param closed what nobody can touch and is looked at all the same
 * @param spans private memory
 * @param shared shared memory
 */
record PageLayout(MemoryMap map, List<Range> closed, List<PageSpan> spans, List<PageSpan> shared) {
  private static final String HEAP = "[heap]";

  PageLayout {
    closed = List.copyOf(closed);
    spans = List.copyOf(spans);
    shared = List.copyOf(shared);
  }

  /** That of a process of whose pages nothing is known. */
  static PageLayout of(MemoryMap map) throws IOException {
    return of(map, List.of());
  }

  private static PageLayout of(MemoryMap map, List<Range> closed) throws IOException {
    var copied = new ArrayList<Area>();
    var shared = new ArrayList<Area>();
    for (Area area : map.areas()) {
      if (area.copied()) {
        copied.add(area);
      } else if (mayBeOpened(area)) {
        Range range = range(area);
        for (Range part : AddressRanges.common(List.of(range), closed)) {
          copied.add(area.part(part.address(), part.address() + part.bytes()));
        }
      } else if (area.sharedMemory()) {
        shared.add(area);
      }
    }
    return new PageLayout(map, closed, PageSpan.of(copied), PageSpan.of(shared));
  }

  private static Range range(Area area) {
    return new Range(area.start(), area.end() - area.start());
  }

  /** Whether nobody can touch it, and a call may change that. */
  private static boolean mayBeOpened(Area area) {
    return area.closed() && !area.shared() && !area.kernels();
  }

  /**
   * What it becomes with other areas. What was closed all the time goes on being looked at where it
   * has content only.
   *
   * @param content what the copy has content of its own for
   */
  PageLayout with(MemoryMap next, List<Range> content) throws IOException {
    List<Range> before = closed(map);
    List<Range> unknown = AddressRanges.without(before, AddressRanges.common(closed, content));
    return of(next, AddressRanges.without(closed(next), unknown));
  }

  private static List<Range> closed(MemoryMap map) {
    var closed = new ArrayList<Range>();
    for (Area area : map.areas()) {
      if (mayBeOpened(area)) {
        AddressRanges.add(closed, area.start(), area.end());
      }
    }
    return closed;
  }

  /**
   * Where a copy that was laid out as this says, and is by {@link MemoryReshaping} as another one
   * says, has what it had. What it maps is empty, and so is what is opened: that may have content
   * which was not looked at.
   */
  List<Range> kept(PageLayout next) {
    List<Area> had = map.areas();
    List<Area> has = next.map().areas();
    var kept = new ArrayList<Range>();
    int i = 0;
    int j = 0;
    // What is above belongs to the kernel.
    while (i < had.size() && j < has.size() && had.get(i).start() >= 0 && has.get(j).start() >= 0) {
      long end = Math.min(had.get(i).end(), has.get(j).end());
      if (isKept(had.get(i), has.get(j))) {
        AddressRanges.add(kept, Math.max(had.get(i).start(), has.get(j).start()), end);
      }
      i += had.get(i).end() == end ? 1 : 0;
      j += j < has.size() && has.get(j).end() == end ? 1 : 0;
    }
    return kept;
  }

  private static boolean isKept(Area had, Area has) {
    boolean same = had.ofFile() ? had.hasBackingOf(has) : !has.ofFile();
    // Where the break was, brk(2) maps and unmaps in the copy.
    same &= had.name().equals(HEAP) == has.name().equals(HEAP);
    return same && !had.shared() && !has.shared() && (!had.closed() || has.closed());
  }
}
