package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.broker.prestage.MemoryMap.Area;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

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
    long opened = open(file);
    if (opened == file.descriptor()) {
      throw new IOException("descriptor " + opened + " was free, which " + file.path() + " had");
    }
    long flags = file.closedOnExec() ? Linux.O_CLOEXEC() : 0;
    remote.call("dup3", file.path(), Linux.__NR_dup3(), opened, file.descriptor(), flags);
    close(opened, file.path());
  }

  private long open(DiskFile file) throws IOException {
    Optional<DiskFile.Opening> opening = file.opening();
    if (opening.isPresent()) {
      return take(opening.get(), file.path());
    }
    name(file.path());
    return remote.call("open", file.path(), Linux.__NR_open(), scratch, file.flags(), 0);
  }

  /** Has a descriptor of what another one, or itself, has open. */
  private long take(DiskFile.Opening opening, String path) throws IOException {
    String what = path + " of process " + opening.pid();
    long process = remote.call("pidfd_open", what, Linux.__NR_pidfd_open(), opening.pid(), 0);
    try {
      return remote.call(
          "pidfd_getfd", what, Linux.__NR_pidfd_getfd(), process, opening.descriptor(), 0);
    } finally {
      close(process, what);
    }
  }

  private void close(long descriptor, String what) throws IOException {
    remote.call("close", what, Linux.__NR_close(), descriptor);
  }

  /**
   * Whether it may have what others have open, of which there are stand-ins now.
   *
   * @throws SyscallException EPERM where it is not allowed to, by its rights
   */
  void tryOpenings(List<DiskFile> files) throws IOException {
    for (DiskFile file : files) {
      if (file.opening().isPresent()) {
        close(take(file.opening().get(), file.path()), file.path());
      }
    }
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
