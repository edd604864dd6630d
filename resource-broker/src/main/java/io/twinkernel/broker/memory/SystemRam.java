package io.twinkernel.broker.memory;

import io.twinkernel.broker.plan.IoMem;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
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

  private static final long PAGE = 4096;

  private SystemRam() {}

  /** A kernel's System RAM from 1 MiB on, without the crash region, where its twin lives. */
  public static List<Range> withoutCrashRegion(IoMem iomem) {
    List<Range> ranges = new ArrayList<>();
    for (IoMem.Range range : iomem.named("System RAM")) {
      ranges.add(new Range(range.start(), range.size()));
    }
    ranges = cut(ranges, new Range(0, LOW_MEMORY_END));
    return without(ranges, iomem, List.of("Crash kernel", "Twinkernel shared"));
  }

  /** These ranges without what the twin module keeps of a shared region that is done with. */
  public static List<Range> withoutTwins(List<Range> ranges, IoMem iomem) {
    return without(ranges, iomem, List.of("Twinkernel parked", "Twinkernel tables"));
  }

  /** The whole pages of a range that are not this kernel's System RAM. */
  public static List<Range> leftOut(Range range, IoMem iomem) {
    var pages = new ArrayList<Range>();
    for (Range part : without(List.of(range), iomem, List.of("System RAM"))) {
      long start = (part.start() + PAGE - 1) & -PAGE;
      long end = part.end() & -PAGE;
      if (start < end) {
        pages.add(new Range(start, end - start));
      }
    }
    return List.copyOf(pages);
  }

  private static List<Range> without(List<Range> ranges, IoMem iomem, List<String> names) {
    List<Range> left = ranges;
    for (String name : names) {
      for (IoMem.Range hole : iomem.named(name)) {
        left = cut(left, new Range(hole.start(), hole.size()));
      }
    }
    return List.copyOf(left);
  }

  /** All of these ranges but for one part, which may lie across them. */
  public static List<Range> without(List<Range> ranges, Range part) {
    return List.copyOf(cut(ranges, part));
  }

  /** Bytes in all. */
  public static long total(List<Range> ranges) {
    long total = 0;
    for (Range range : ranges) {
      total += range.size();
    }
    return total;
  }

  /** For the way to the other kernel: a start and a size each. */
  public static List<List<Long>> toJson(List<Range> ranges) {
    return ranges.stream().map(range -> List.of(range.start(), range.size())).toList();
  }

  /** What {@link #toJson} wrote. */
  public static List<Range> fromJson(Fields message, String name) throws MalformedMessageException {
    var ranges = new ArrayList<Range>();
    for (Object item : message.list(name)) {
      if (!(item instanceof List<?> range
          && range.size() == 2
          && range.get(0) instanceof Long start
          && range.get(1) instanceof Long size)) {
        throw new MalformedMessageException("'" + name + "' is not a list of starts and sizes");
      }
      ranges.add(new Range(start, size));
    }
    return List.copyOf(ranges);
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
