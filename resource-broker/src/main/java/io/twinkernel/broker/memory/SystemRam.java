package io.twinkernel.broker.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The ranges of physical memory that a kernel uses, from /proc/iomem. */
public final class SystemRam {
  /**
   * A range.
   *
   * @param start physical address
   * @param size bytes
   */
  public record Range(long start, long size) {
    public long end() {
      return start + size;
    }
  }

  /** Below, every kernel of the machine has pages of its own already. */
  private static final long LOW_MEMORY_END = 1L << 20;

  private SystemRam() {}

  /**
   * What this kernel would leave behind: its System RAM from 1 MiB on, without the crash region.
   */
  public static List<Range> withoutCrashRegion() throws IOException {
    return withoutCrashRegion(Files.readAllLines(Path.of("/proc/iomem")));
  }

  /**
   * @param iomem lines of /proc/iomem, as root sees them
   */
  static List<Range> withoutCrashRegion(List<String> iomem) {
    List<Range> ranges = new ArrayList<>();
    for (String line : iomem) {
      if (line.endsWith(" : System RAM") && line.charAt(0) != ' ') {
        ranges.add(range(line));
      }
    }
    ranges = cut(ranges, new Range(0, LOW_MEMORY_END));
    for (String line : iomem) {
      if (line.endsWith(" : Crash kernel") || line.endsWith(" : Twinkernel shared")) {
        ranges = cut(ranges, range(line));
      }
    }
    return List.copyOf(ranges);
  }

  private static Range range(String line) {
    String text = line.strip();
    int dash = text.indexOf('-');
    long start = Long.parseUnsignedLong(text, 0, dash, 16);
    long end = Long.parseUnsignedLong(text, dash + 1, text.indexOf(' '), 16);
    return new Range(start, end - start + 1);
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
