package io.twinkernel.broker.memory;

import io.twinkernel.broker.memory.SystemRam.Range;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Where a kernel that took a machine over loads the next one. No {@code crashkernel=} can say it:
 * when that kernel booted it had just enough memory for itself. So of the memory that the former
 * kernel leaves, a piece is set aside before the rest is used.
 */
public final class CrashRegion {
  /** What the next kernel's tables and most devices can address. */
  private static final long FOUR_GIB = 1L << 32;

  private static final long ALIGNMENT = 2L << 20;

  /** With less, no kernel starts; the twin module refuses to load one. */
  private static final long SMALLEST = 64L << 20;

  private CrashRegion() {}

  /**
   * The highest piece of the memory below 4 GiB that is large enough; where none is, the largest.
   *
   * @param memory what is free
   * @param wanted bytes
   * @return whole 2 MiB; empty where there is no piece worth it
   */
  public static Optional<Range> choose(List<Range> memory, long wanted) {
    long size = (wanted + ALIGNMENT - 1) & -ALIGNMENT;
    Optional<Range> best = Optional.empty();
    for (Range range : joined(memory)) {
      long start = (range.start() + ALIGNMENT - 1) & -ALIGNMENT;
      long end = Math.min(range.end(), FOUR_GIB) & -ALIGNMENT;
      long usable = Math.min(end - start, size);
      if (usable >= SMALLEST && usable >= best.map(Range::size).orElse(0L)) {
        best = Optional.of(new Range(end - usable, usable));
      }
    }
    return best;
  }

  /** In ascending order, neighbours as one. */
  private static List<Range> joined(List<Range> memory) {
    var joined = new ArrayList<Range>();
    for (Range range : memory.stream().sorted(Comparator.comparingLong(Range::start)).toList()) {
      if (!joined.isEmpty() && joined.getLast().end() == range.start()) {
        Range before = joined.removeLast();
        joined.add(new Range(before.start(), before.size() + range.size()));
      } else {
        joined.add(range);
      }
    }
    return joined;
  }
}
