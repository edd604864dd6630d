package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.MemoryMap.Area;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * System calls that a stopped copy makes, which is traced meanwhile. What they are given in memory
 * is written over the first bytes of its program's file in it, which are the same in all copies and
 * never change, and that is put back.
 */
final class TraceeCalls {
  /** How much can be {@link #put}, in bytes. */
  static final int ROOM = 4096;

  private final Fd memory;
  private final RemoteCall remote;
  private final long scratch;

  /**
   * @param pid of the tracee, whose first thread makes the calls
   * @param memory its {@code /proc/PID/mem}
   */
  TraceeCalls(int pid, Fd memory) throws IOException {
    this.memory = memory;
    List<Area> areas = MemoryMap.read(pid).areas();
    this.scratch =
        areas.stream()
            .filter(area -> area.name().startsWith("/") && !area.writable() && !area.shared())
            .filter(area -> area.end() - area.start() >= ROOM)
            .findFirst()
            .orElseThrow(() -> new IOException("process " + pid + " has no program file mapped"))
            .start();
    this.remote = new RemoteCall(pid, Vdso.systemCall(pid, areas));
  }

  /** Its calls that take nothing from its memory. */
  RemoteCall remote() {
    return remote;
  }

  /** As {@link RemoteCall#call}. */
  long call(String name, String subject, int number, long... arguments) throws SyscallException {
    return remote.call(name, subject, number, arguments);
  }

  /** Puts back what {@link #save} read. */
  void restore(byte[] saved) throws IOException {
    write(saved);
  }

  /** Puts something into its memory, up to {@link #ROOM} bytes; returns where that is. */
  long put(byte[] bytes) throws IOException {
    if (bytes.length > ROOM) {
      throw new IllegalArgumentException(bytes.length + " bytes are more than " + ROOM);
    }
    write(bytes);
    return scratch;
  }

  /** What {@link #put} will write over, for {@link #restore}. */
  byte[] save() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(ROOM);
      int done = 0;
      while (done < ROOM) {
        int got = memory.read(buffer.asSlice(done), scratch + done);
        if (got <= 0) {
          throw new IOException("memory ends at 0x" + Long.toHexString(scratch + done));
        }
        done += got;
      }
      return buffer.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private void write(byte[] bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      memory.writeAll(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), scratch);
    }
  }
}
