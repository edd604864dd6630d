package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.broker.prestage.MemoryMap.Area;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Has a stopped tracee open files and put them in the place of others. Its names for them are
 * written over the first bytes of its program's file in its memory, which is the same in all copies
 * and never changes, and that is put back.
 */
final class FileExchange {
  private static final int MOST_PATH = 4096;

  private final Fd memory;
  private final RemoteCall remote;
  private final long scratch;

  /**
   * @param pid of the tracee, whose first thread makes the calls
   * @param memory its {@code /proc/PID/mem}
   */
  FileExchange(int pid, Fd memory) throws IOException {
    this.memory = memory;
    List<Area> areas = MemoryMap.read(pid).areas();
    this.scratch =
        areas.stream()
            .filter(area -> area.name().startsWith("/") && !area.writable() && !area.shared())
            .filter(area -> area.end() - area.start() >= MOST_PATH)
            .findFirst()
            .orElseThrow(() -> new IOException("process " + pid + " has no program file mapped"))
            .start();
    this.remote = new RemoteCall(pid, Vdso.systemCall(pid, areas));
  }

  /** Puts each file in the place of its descriptor. */
  void exchange(List<DiskFile> files, String directory) throws IOException {
    byte[] before = read(scratch, MOST_PATH);
    try {
      for (DiskFile file : files) {
        exchange(file);
      }
      if (!directory.isEmpty()) {
        name(directory);
        remote.call("chdir", directory, Linux.__NR_chdir(), scratch);
      }
    } finally {
      write(before);
    }
  }

  private void exchange(DiskFile file) throws IOException {
    name(file.path());
    long opened = remote.call("open", file.path(), Linux.__NR_open(), scratch, file.flags(), 0);
    if (opened == file.descriptor()) {
      throw new IOException("descriptor " + opened + " was free, which " + file.path() + " had");
    }
    long flags = file.closedOnExec() ? Linux.O_CLOEXEC() : 0;
    remote.call("dup3", file.path(), Linux.__NR_dup3(), opened, file.descriptor(), flags);
    remote.call("close", file.path(), Linux.__NR_close(), opened);
  }

  private void name(String path) throws IOException {
    byte[] name = (path + "\0").getBytes(UTF_8);
    if (name.length > MOST_PATH) {
      throw new IOException("a path of " + name.length + " bytes: " + path);
    }
    write(name);
  }

  private byte[] read(long address, int bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(bytes);
      int done = 0;
      while (done < bytes) {
        int got = memory.read(buffer.asSlice(done), address + done);
        if (got <= 0) {
          throw new IOException("memory ends at 0x" + Long.toHexString(address + done));
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
