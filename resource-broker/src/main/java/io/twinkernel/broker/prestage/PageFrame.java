package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Pages on their way: four 32-bit words (process, number of ranges, 1 if they are zeros, unused),
 * address and length of each range in 64-bit words, and the ranges' content unless they are zeros.
 */
final class PageFrame {
  private static final int HEADER = 16;
  private static final int RANGE = 16;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private PageFrame() {}

  /**
   * Cuts ranges so that each list fits into one frame.
   *
   * @param room bytes of a frame, at least two pages
   */
  static List<List<Range>> split(List<Range> ranges, long room) {
    var frames = new ArrayList<List<Range>>();
    var frame = new ArrayList<Range>();
    long free = room - HEADER;
    for (Range range : ranges) {
      long done = 0;
      while (done < range.bytes()) {
        long pages = (free - RANGE) / PageScan.PAGE;
        if (pages <= 0 || frame.size() == RemoteMemory.MOST_RANGES) {
          frames.add(List.copyOf(frame));
          frame.clear();
          free = room - HEADER;
          continue;
        }
        long bytes = Math.min(range.bytes() - done, pages * PageScan.PAGE);
        frame.add(new Range(range.address() + done, bytes));
        free -= RANGE + bytes;
        done += bytes;
      }
    }
    if (!frame.isEmpty()) {
      frames.add(List.copyOf(frame));
    }
    return frames;
  }

  /** Bytes of a frame with these ranges. */
  static long size(List<Range> ranges, boolean zeros) {
    long size = HEADER + (long) RANGE * ranges.size();
    return zeros ? size : size + bytes(ranges);
  }

  private static long bytes(List<Range> ranges) {
    long bytes = 0;
    for (Range range : ranges) {
      bytes += range.bytes();
    }
    return bytes;
  }

  /**
   * Writes a frame, the pages straight from the process's memory.
   *
   * @param runs whether the process does: memory that it has given back meanwhile reads as zeros,
   *     and is looked at again
   * @return bytes written, {@link #size}
   */
  static int write(MemorySegment room, int pid, List<Range> ranges, boolean zeros, boolean runs)
      throws IOException {
    room.set(INT, 0, pid);
    room.set(INT, 4, ranges.size());
    room.set(INT, 8, zeros ? 1 : 0);
    room.set(INT, 12, 0);
    long at = HEADER;
    for (Range range : ranges) {
      room.set(LONG, at, range.address());
      room.set(LONG, at + 8, range.bytes());
      at += RANGE;
    }
    if (!zeros) {
      long bytes = bytes(ranges);
      MemorySegment content = room.asSlice(at, bytes);
      if (read(pid, ranges, content) != bytes) {
        readAll(pid, ranges, runs, content);
      }
      at += bytes;
    }
    return Math.toIntExact(at);
  }

  private static long read(int pid, List<Range> ranges, MemorySegment into) throws IOException {
    try {
      return RemoteMemory.read(pid, ranges, into);
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EFAULT)) {
        return 0;
      }
      throw e;
    }
  }

  /** Also what the process itself cannot read, as memory that it has closed. */
  private static void readAll(int pid, List<Range> ranges, boolean runs, MemorySegment into)
      throws IOException {
    try (Fd memory = Fd.open("/proc/" + pid + "/mem", Linux.O_RDONLY())) {
      long at = 0;
      for (Range range : ranges) {
        MemorySegment content = into.asSlice(at, range.bytes());
        if (runs) {
          readWhatIsThere(memory, range, content);
        } else {
          read(memory, range, content);
        }
        at += range.bytes();
      }
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EIO)) {
        throw Unstageable.now("memory of process " + pid + " is gone: " + e.getMessage());
      }
      throw e;
    }
  }

  private static void read(Fd memory, Range range, MemorySegment into) throws IOException {
    for (long done = 0, read; done < range.bytes(); done += read) {
      read = memory.read(into.asSlice(done), range.address() + done);
      if (read <= 0) {
        throw Unstageable.now("a process ended, whose memory is read");
      }
    }
  }

  private static void readWhatIsThere(Fd memory, Range range, MemorySegment into)
      throws IOException {
    for (long done = 0; done < range.bytes(); done += PageScan.PAGE) {
      MemorySegment page = into.asSlice(done, PageScan.PAGE);
      if (!isRead(memory, range.address() + done, page)) {
        page.fill((byte) 0);
      }
    }
  }

  private static boolean isRead(Fd memory, long address, MemorySegment page) throws IOException {
    try {
      return memory.read(page, address) == page.byteSize();
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EIO)) {
        return false;
      }
      throw e;
    }
  }

  /** What a frame holds. */
  record Content(int pid, List<Range> ranges, boolean zeros, MemorySegment data) {}

  /**
   * @throws IOException if it is none
   */
  static Content read(MemorySegment frame) throws IOException {
    long size = frame.byteSize();
    if (size < HEADER) {
      throw new IOException("a page frame of " + size + " bytes");
    }
    int count = frame.get(INT, 4);
    if (count < 0 || count > RemoteMemory.MOST_RANGES || HEADER + (long) RANGE * count > size) {
      throw new IOException("a page frame of " + size + " bytes with " + count + " ranges");
    }
    boolean zeros = frame.get(INT, 8) == 1;
    var ranges = new ArrayList<Range>(count);
    long bytes = 0;
    for (long at = HEADER; ranges.size() < count; at += RANGE) {
      var range = new Range(frame.get(LONG, at), frame.get(LONG, at + 8));
      if (range.bytes() <= 0 || range.bytes() % PageScan.PAGE != 0) {
        throw new IOException("a page frame with a range of " + range.bytes() + " bytes");
      }
      ranges.add(range);
      bytes = Math.addExact(bytes, range.bytes());
    }
    long data = HEADER + (long) RANGE * count;
    if (!zeros && size - data != bytes) {
      throw new IOException("a page frame with " + (size - data) + " bytes for " + bytes);
    }
    return new Content(frame.get(INT, 0), ranges, zeros, frame.asSlice(data));
  }
}
