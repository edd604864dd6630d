package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.RemoteMemory.Range;
import java.util.ArrayList;
import java.util.List;

/** Ranges of addresses, none of which meet, in their order. */
final class AddressRanges {
  private AddressRanges() {}

  private static long end(Range range) {
    return range.address() + range.bytes();
  }

  /** Adds one that comes after all there are, as a part of the last one if it adjoins that. */
  static void add(List<Range> ranges, long start, long end) {
    if (start >= end) {
      return;
    }
    if (!ranges.isEmpty() && end(ranges.getLast()) == start) {
      start = ranges.removeLast().address();
    }
    ranges.add(new Range(start, end - start));
  }

  /** What is in both. */
  static List<Range> common(List<Range> one, List<Range> other) {
    var common = new ArrayList<Range>();
    int i = 0;
    int j = 0;
    while (i < one.size() && j < other.size()) {
      long start = Math.max(one.get(i).address(), other.get(j).address());
      long end = Math.min(end(one.get(i)), end(other.get(j)));
      add(common, start, end);
      if (end(one.get(i)) == end) {
        i++;
      } else {
        j++;
      }
    }
    return common;
  }

  /** What is in the one and not in the other. */
  static List<Range> without(List<Range> one, List<Range> other) {
    var rest = new ArrayList<Range>();
    int j = 0;
    for (Range range : one) {
      long from = range.address();
      while (j < other.size() && end(other.get(j)) <= from) {
        j++;
      }
      for (int k = j; k < other.size() && other.get(k).address() < end(range); k++) {
        add(rest, from, other.get(k).address());
        from = Math.max(from, end(other.get(k)));
      }
      add(rest, from, end(range));
    }
    return rest;
  }
}
