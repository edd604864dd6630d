package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.RemoteMemory.Range;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** What the kernel itself maps into every process, vdso(7). */
final class Vdso {
  /** The instruction SYSCALL, in the order of memory. */
  private static final byte FIRST = 0x0f;

  private static final byte SECOND = 0x05;

  private Vdso() {}

  /**
   * Where a process has the instruction that makes a system call.
   *
   * @param areas of the process
   */
  static long systemCall(int pid, List<MemoryMap.Area> areas) throws IOException {
    for (MemoryMap.Area area : areas) {
      if (area.name().equals("[vdso]")) {
        byte[] code = code(pid, area);
        for (int at = 0; at + 1 < code.length; at++) {
          if (code[at] == FIRST && code[at + 1] == SECOND) {
            return area.start() + at;
          }
        }
      }
    }
    throw new IOException("process " + pid + " has no vdso with a SYSCALL in it");
  }

  private static byte[] code(int pid, MemoryMap.Area area) throws IOException {
    long size = area.end() - area.start();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment code = arena.allocate(size);
      long read = RemoteMemory.read(pid, List.of(new Range(area.start(), size)), code);
      return code.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE);
    }
  }
}
