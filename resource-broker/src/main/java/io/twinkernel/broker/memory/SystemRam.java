package io.twinkernel.broker.memory;

import io.twinkernel.broker.plan.IoMem;
import java.util.ArrayList;
import java.util.List;

/** The physical memory that a kernel uses and could leave behind. */
public final class SystemRam {
  /**
   * A range.
   *
   * @param start physical address
   * @param size bytes
   */
  public record Range(long start, long size) {
    /** The first address behind it. */
    public long end() {
      return start + size;
    }
  }

  /** Below, every kernel of the machine has pages of its own already. */
  private static final long LOW_MEMORY_END = 1L << 20;

  private SystemRam() {}

  /** A kernel's System RAM from 1 MiB on, without the crash region, where its twin lives. */
  public static List<Range> withoutCrashRegion(IoMem iomem) {
    List<Range> ranges = new ArrayList<>();
    for (IoMem.Range range : iomem.named("System RAM")) {
      ranges.add(new Range(range.start(), range.size()));
    }
    ranges = cut(ranges, new Range(0, LOW_MEMORY_END));
    for (String name : List.of("Crash kernel", "Twinkernel shared")) {
      for (IoMem.Range hole : iomem.named(name)) {
        ranges = cut(ranges, new Range(hole.start(), hole.size()));
      }
    }
    return List.copyOf(ranges);
  }

  /** Bytes in all. */
  public static long total(List<Range> ranges) {
    long total = 0;
    for (Range range : ranges) {
      total += range.size();
    }
    return total;
  }

  private static List<Range> cut(List<Range> ranges, Range hole) {
    var left = new ArrayList<Range>();
    for (Range range : ranges) {
      if (range.end() <= hole.start() || hole.end() <= range.start()) {
        left.add(range);
      } else {
        if (range.start() < hole.start()) {
          left.add(new Range(range.start(), hole.start() - range.start()));
        }
        if (hole.end() < range.end()) {
          left.add(new Range(hole.end(), range.end() - hole.end()));
        }
      }
    }
    return left;
  }
}
