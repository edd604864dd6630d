package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory mappings that live as long as an arena. */
final class Mappings {
  private Mappings() {}

  static MemorySegment map(Fd fd, long length, int protection, int flags, long offset, Arena arena)
      throws SyscallException {
    return map(fd.number(), fd.label(), length, protection, flags, offset, arena);
  }

  /** Private memory of its own, filled with zeros, readable and writable. */
  static MemorySegment anonymous(long length, Arena arena) throws SyscallException {
    int protection = Linux.PROT_READ() | Linux.PROT_WRITE();
    int flags = Linux.MAP_PRIVATE() | Linux.MAP_ANONYMOUS();
    return map(-1, "no file", length, protection, flags, 0, arena);
  }

  /** {@code mprotect(2)}. */
  static void protect(MemorySegment mapping, int protection) throws SyscallException {
    long result =
        NativeCall.system(
            Linux.__NR_mprotect(),
            mapping.address(),
            mapping.byteSize(),
            protection,
            0,
            0,
            0,
            mapping);
    if (result < 0) {
      throw SyscallException.of("mprotect", mapping.byteSize() + " bytes, " + protection, result);
    }
  }

  private static MemorySegment map(
      int fd, String label, long length, int protection, int flags, long offset, Arena arena)
      throws SyscallException {
    long address =
        NativeCall.system(
            Linux.__NR_mmap(), 0, length, protection, flags, fd, offset, MemorySegment.NULL);
    if (address < 0) {
      throw SyscallException.of("mmap", label + ", " + length + " bytes at " + offset, address);
    }
    return MemorySegment.ofAddress(address).reinterpret(length, arena, Mappings::unmap);
  }

  private static void unmap(MemorySegment mapping) {
    long result =
        NativeCall.system(Linux.__NR_munmap(), mapping.address(), mapping.byteSize(), 0, 0);
    if (result < 0) {
      throw new IllegalStateException(
          SyscallException.of("munmap", mapping.byteSize() + " bytes", result));
    }
  }
}
