package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.ptrace_rseq_configuration;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** The areas of rseq(2), as include/uapi/linux/rseq.h lays them out. */
final class RestartableSequence {
  /** Of the critical section in the area. */
  private static final int SECTION = 8;

  /** Of what a section says of itself. */
  private static final int START = 8;

  private static final int LENGTH = 16;
  private static final int SECTION_BYTES = 32;

  private RestartableSequence() {}

  /**
   * What a stopped thread has registered; its address is 0 if it has nothing.
   *
   * @return a {@code ptrace_rseq_configuration}
   * @throws Unstageable if this kernel does not tell
   */
  static MemorySegment configuration(Arena arena, int thread) throws IOException {
    MemorySegment area = arena.allocate(ptrace_rseq_configuration.layout());
    try {
      Ptrace.restartableSequences(thread, area);
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.EIO)) {
        throw new Unstageable("this kernel does not tell of restartable sequences");
      }
      throw e;
    }
    return area;
  }

  /**
   * Refuses a thread that is within a critical section: the kernel would not see that it was
   * interrupted there, if it makes calls elsewhere in between.
   *
   * @param instruction where it is
   */
  static void check(int thread, long instruction) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      long area = ptrace_rseq_configuration.rseq_abi_pointer(configuration(arena, thread));
      if (area == 0) {
        return;
      }
      MemorySegment words = arena.allocate(SECTION_BYTES, Long.BYTES);
      read(thread, area + SECTION, words.asSlice(0, Long.BYTES));
      long section = words.get(ValueLayout.JAVA_LONG, 0);
      if (section == 0) {
        return;
      }
      read(thread, section, words);
      long within = instruction - words.get(ValueLayout.JAVA_LONG, START);
      if (Long.compareUnsigned(within, words.get(ValueLayout.JAVA_LONG, LENGTH)) < 0) {
        throw Unstageable.now("thread " + thread + " is within a restartable sequence");
      }
    }
  }

  private static void read(int thread, long address, MemorySegment into) throws IOException {
    long bytes = into.byteSize();
    if (RemoteMemory.read(thread, List.of(new Range(address, bytes)), into) != bytes) {
      throw new IOException("no restartable sequence at 0x" + Long.toHexString(address));
    }
  }
}
