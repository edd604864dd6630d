package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A process that a signal has stopped, and calls that it is made to carry out. */
record Tracee(int pid, RemoteCall remote, Fd memory) implements AutoCloseable {
  private static final int MREMAP = 25; // arch/x86/entry/syscalls/syscall_64.tbl
  private static final int MAYMOVE_AND_FIXED = 3; // include/uapi/linux/mman.h

  static Tracee hold(int pid) throws IOException {
    long instruction = Vdso.systemCall(pid, MemoryMap.read(pid).areas());
    Fd memory = Fd.open("/proc/" + pid + "/mem", Linux.O_RDWR());
    ThreadRegisters.hold(pid);
    return new Tracee(pid, new RemoteCall(pid, instruction), memory);
  }

  long map(long address, long bytes, int protection) throws IOException {
    return map(address, bytes, protection, -1);
  }

  /** The start of a file, or no file's if that is -1. */
  long map(long address, long bytes, int protection, long file) throws IOException {
    int flags =
        Linux.MAP_PRIVATE()
            | (address == 0 ? 0 : Linux.MAP_FIXED())
            | (file == -1 ? Linux.MAP_ANONYMOUS() : 0);
    return remote.call("mmap", "", Linux.__NR_mmap(), address, bytes, protection, flags, file, 0);
  }

  void unmap(long address, long bytes) throws IOException {
    remote.call("munmap", "", Linux.__NR_munmap(), address, bytes);
  }

  void protect(long address, long bytes, int protection) throws IOException {
    remote.call("mprotect", "", Linux.__NR_mprotect(), address, bytes, protection);
  }

  long brk(long end) throws IOException {
    return remote.call("brk", "", Linux.__NR_brk(), end);
  }

  void move(long address, long bytes, long to) throws IOException {
    remote.call("mremap", "", MREMAP, address, bytes, bytes, MAYMOVE_AND_FIXED, to);
  }

  void drop(long address, long bytes) throws IOException {
    remote.call("madvise", "", Linux.__NR_madvise(), address, bytes, Linux.MADV_DONTNEED());
  }

  /** Its name is written to an address. */
  long open(String path, long scratch) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      memory.writeAll(arena.allocateFrom(path), scratch);
    }
    return remote.call("open", path, Linux.__NR_open(), scratch, Linux.O_RDONLY(), 0);
  }

  void write(long address, byte[] bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      memory.writeAll(arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes), address);
    }
  }

  byte[] read(long address, long bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(bytes);
      for (long done = 0; done < bytes; ) {
        int read = memory.read(buffer.asSlice(done), address + done);
        if (read <= 0) {
          throw new IOException("memory ends at " + Long.toHexString(address + done));
        }
        done += read;
      }
      return buffer.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Takes what another one has. */
  void take(Tracee source, PageScan.Changes changes) throws IOException {
    for (var range : changes.gone()) {
      write(range.address(), new byte[(int) range.bytes()]);
    }
    try (Arena arena = Arena.ofConfined()) {
      for (var frame : PageFrame.split(changes.dirty(), 1 << 20)) {
        MemorySegment room = arena.allocate(PageFrame.size(frame, false));
        PageFrame.write(room, source.pid(), frame, false, false);
        PageFrame.Content content = PageFrame.read(room);
        long at = 0;
        for (var range : content.ranges()) {
          memory.writeAll(content.data().asSlice(at, range.bytes()), range.address());
          at += range.bytes();
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    try (memory) {
      Ptrace.detach(pid);
    }
  }
}
