package io.twinkernel.broker.plan;

import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.util.ArrayList;
import java.util.List;

/**
 * The physical address space, as {@code /proc/iomem} shows it to root.
 *
 * @param ranges in the file's order: each before those within it
 */
public record IoMem(List<Range> ranges) {

  /**
   * A range.
   *
   * @param depth 0 for those that lie in no other
   * @param start first address
   * @param end last address, inclusive
   * @param name such as {@code System RAM} or {@code Crash kernel}
   */
  public record Range(int depth, long start, long end, String name) {
    /** Size in bytes. */
    public long size() {
      return end - start + 1;
    }
  }

  /** Keeps the list from changing. */
  public IoMem {
    ranges = List.copyOf(ranges);
  }

  /** What this kernel has now. */
  public static IoMem read() throws SyscallException {
    return parse(SysFiles.read("/proc/iomem"));
  }

  /**
   * Reads the file's text. Lines that are no ranges are left out.
   *
   * <p>To everyone but root the kernel shows zeroes for every address; those ranges are left out
   * too.
   */
  public static IoMem parse(String text) {
    List<Range> ranges = new ArrayList<>();
    for (int from = 0, to; from < text.length(); from = to + 1) {
      to = text.indexOf('\n', from);
      to = to < 0 ? text.length() : to;
      int at = from;
      while (at < to && text.charAt(at) == ' ') {
        at++;
      }
      int dash = text.indexOf('-', at);
      int colon = text.indexOf(" : ", at);
      if (dash < 0 || colon < dash || colon > to) {
        continue;
      }
      long start = hex(text, at, dash);
      long end = hex(text, dash + 1, colon);
      if (start >= 0 && end > 0) {
        ranges.add(new Range((at - from) / 2, start, end, text.substring(colon + 3, to)));
      }
    }
    return new IoMem(ranges);
  }

  /** All ranges of a name. */
  public List<Range> named(String name) {
    List<Range> found = new ArrayList<>();
    for (Range range : ranges) {
      if (range.name().equals(name)) {
        found.add(range);
      }
    }
    return found;
  }

  /** The number in a part of a text; -1 where there is none. */
  private static long hex(String text, int from, int to) {
    long value = from < to && to - from <= 16 ? 0 : -1;
    for (int i = from; i < to && value >= 0; i++) {
      int digit = Character.digit(text.charAt(i), 16);
      value = digit < 0 ? -1 : (value << 4) | digit;
    }
    return value;
  }
}
