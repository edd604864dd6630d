package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/**
 * Programs and libraries of a process that has just been restored: it has mapped them, but none of
 * their pages, and would fault on each in its first instructions. Data that it has mapped may be
 * any amount, and is left alone.
 */
final class MappedFiles {
  /** With a page the kernel maps those around it that are in memory (fault_around_bytes). */
  private static final long AROUND = 1 << 16;

  private MappedFiles() {}

  /** Has the kernel map what it can; the process is stopped. */
  static void populate(int pid) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(RemoteMemory.MOST_RANGES);
      List<MemoryMap.Area> areas = MemoryMap.read(pid).areas();
      var code = new HashSet<String>();
      for (MemoryMap.Area area : areas) {
        if (area.permissions().startsWith("r-x") && area.name().startsWith("/")) {
          code.add(area.name());
        }
      }
      for (MemoryMap.Area area : areas) {
        if (area.permissions().startsWith("r-") && code.contains(area.name())) {
          List<Range> looks = looks(area.start(), area.end());
          for (int from = 0; from < looks.size(); from += RemoteMemory.MOST_RANGES) {
            int to = Math.min(looks.size(), from + RemoteMemory.MOST_RANGES);
            read(pid, looks.subList(from, to), bytes.asSlice(0, to - from));
          }
        }
      }
    }
  }

  /** A byte of each piece. */
  private static List<Range> looks(long start, long end) {
    var looks = new ArrayList<Range>();
    for (long at = start; at < end; at = (at + AROUND) & -AROUND) {
      looks.add(new Range(at, 1));
    }
    return looks;
  }

  private static void read(int pid, List<Range> looks, MemorySegment bytes)
      throws SyscallException {
    try {
      RemoteMemory.read(pid, looks, bytes);
    } catch (SyscallException e) {
      // Beyond the end of a file that became shorter: the process does not read there either.
      if (!e.errno().equals(Errno.EFAULT)) {
        throw e;
      }
    }
  }
}
