package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Where shared memory has content, whoever wrote it: what a process's own entries do not tell. A
 * link in {@code /proc/PID/map_files} leads to the memory itself, also where that has no name.
 */
final class SharedContent {
  private SharedContent() {}

  /** The ranges of addresses, in their order, at which a process has content that others share. */
  static List<Range> of(int pid, MemoryMap map) throws IOException {
    var ranges = new ArrayList<Range>();
    for (MemoryMap.Area area : map.sharedMemory()) {
      String link = "/proc/%d/map_files/%x-%x".formatted(pid, area.start(), area.end());
      try (Fd memory = Fd.open(link, Linux.O_RDONLY())) {
        add(memory, area, ranges);
      } catch (SyscallException e) {
        if (!e.errno().equals(Errno.ENOENT)) {
          throw e;
        }
        // It is a part of one, or several.
        AddressRanges.add(ranges, area.start(), area.end());
      }
    }
    return List.copyOf(ranges);
  }

  private static void add(Fd memory, MemoryMap.Area area, List<Range> ranges)
      throws SyscallException {
    long last = area.offset() + (area.end() - area.start());
    long toAddress = area.start() - area.offset();
    try {
      long from = memory.seek(area.offset(), Linux.SEEK_DATA());
      while (from < last) {
        long to = Math.min(last, memory.seek(from, Linux.SEEK_HOLE()));
        AddressRanges.add(ranges, from + toAddress, to + toAddress);
        from = memory.seek(to, Linux.SEEK_DATA());
      }
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.ENXIO)) {
        throw e;
      }
      // Nothing more comes.
    }
  }
}
