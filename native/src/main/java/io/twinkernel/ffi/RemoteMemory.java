package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.iovec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** {@code process_vm_readv(2)} and {@code process_vm_writev(2)}: another process's memory. */
public final class RemoteMemory {
  /** The most ranges that one call takes (UIO_MAXIOV, include/uapi/linux/uio.h). */
  public static final int MOST_RANGES = 1024;

  private RemoteMemory() {}

  /**
   * Bytes of another process.
   *
   * @param address where they start in it
   */
  public record Range(long address, long bytes) {}

  /**
   * Copies ranges of a process, one after the other, into local memory.
   *
   * @param ranges at most {@link #MOST_RANGES}, together as long as {@code local}
   * @return bytes copied: fewer where a range cannot be read
   */
  public static long read(int pid, List<Range> ranges, MemorySegment local)
      throws SyscallException {
    return copy("process_vm_readv", Linux.__NR_process_vm_readv(), pid, ranges, local);
  }

  /**
   * Copies local memory to ranges of a process, one after the other.
   *
   * @return bytes copied: fewer where a range is not writable for the process itself, 0 if the
   *     first is not
   */
  public static long write(int pid, List<Range> ranges, MemorySegment local)
      throws SyscallException {
    try {
      return copy("process_vm_writev", Linux.__NR_process_vm_writev(), pid, ranges, local);
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EFAULT)) {
        return 0;
      }
      throw e;
    }
  }

  private static long copy(String name, int call, int pid, List<Range> ranges, MemorySegment local)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment vectors = arena.allocate(iovec.layout(), ranges.size() + 1L);
      iovec.iov_base(vectors, local);
      iovec.iov_len(vectors, local.byteSize());
      long size = iovec.layout().byteSize();
      for (int i = 0; i < ranges.size(); i++) {
        MemorySegment vector = vectors.asSlice((i + 1) * size, size);
        iovec.iov_base(vector, MemorySegment.ofAddress(ranges.get(i).address()));
        iovec.iov_len(vector, ranges.get(i).bytes());
      }
      long result =
          NativeCall.system(
              call, pid, vectors.address(), 1, vectors.address() + size, ranges.size(), 0, local);
      if (result < 0) {
        throw SyscallException.of(
            name, pid + ", " + ranges.size() + " ranges, " + local.byteSize() + " bytes", result);
      }
      return result;
    }
  }
}
