package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/** On which CPUs a thread may run: {@code sched_setaffinity(2)}. */
public final class Affinity {
  /** More than a kernel has CPUs (CONFIG_NR_CPUS); it takes a mask of any size. */
  private static final int MOST_CPUS = 1 << 14;

  private static final int CALLER = 0;

  private Affinity() {}

  /**
   * Keeps the calling thread on some CPUs.
   *
   * @throws SyscallException EINVAL if none of them is online
   */
  public static void set(BitSet cpus) throws SyscallException {
    set(CALLER, cpus);
  }

  /**
   * Keeps a thread on some CPUs.
   *
   * @param thread its number
   * @throws SyscallException EINVAL if none of them is online, or it is one of the kernel's that
   *     must stay where it is; ESRCH if it has ended
   */
  public static void set(int thread, BitSet cpus) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocateFrom(ValueLayout.JAVA_LONG, cpus.toLongArray());
      long result =
          NativeCall.system(
              Linux.__NR_sched_setaffinity(),
              thread,
              mask.byteSize(),
              mask.address(),
              0,
              0,
              0,
              mask);
      if (result < 0) {
        throw SyscallException.of("sched_setaffinity", cpus.toString(), result);
      }
    }
  }

  /** Where the calling thread may run. */
  public static BitSet get() throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(MOST_CPUS / Byte.SIZE, Long.BYTES);
      long result =
          NativeCall.system(
              Linux.__NR_sched_getaffinity(),
              CALLER,
              mask.byteSize(),
              mask.address(),
              0,
              0,
              0,
              mask);
      if (result < 0) {
        throw SyscallException.of("sched_getaffinity", "", result);
      }
      return BitSet.valueOf(mask.asSlice(0, result).toArray(ValueLayout.JAVA_LONG));
    }
  }
}
