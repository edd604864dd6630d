package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.timespec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The kernel's clocks, in nanoseconds. */
public final class Clocks {
  private static final long SECOND = 1_000_000_000;

  // struct timex, ADJ_* (linux/timex.h) and the call: a test compares them with the headers.
  static final int TIMEX_SIZE = 208;
  static final int TIMEX_SECONDS = 72;
  static final int TIMEX_FRACTION = 80;
  static final int ADJ_SETOFFSET = 0x100;
  static final int ADJ_NANO = 0x2000;
  static final int CLOCK_ADJTIME = 305;

  private Clocks() {}

  /** CLOCK_REALTIME: nanoseconds since 1970. */
  public static long realtimeNanos() throws SyscallException {
    return read(Linux.CLOCK_REALTIME(), "CLOCK_REALTIME");
  }

  /** CLOCK_MONOTONIC: nanoseconds since this kernel started, in this time namespace. */
  public static long monotonicNanos() throws SyscallException {
    return read(Linux.CLOCK_MONOTONIC(), "CLOCK_MONOTONIC");
  }

  /** CLOCK_BOOTTIME: as CLOCK_MONOTONIC, and the time that the machine was suspended. */
  public static long boottimeNanos() throws SyscallException {
    return read(Linux.CLOCK_BOOTTIME(), "CLOCK_BOOTTIME");
  }

  /**
   * Moves CLOCK_REALTIME by some nanoseconds, ahead or back: exactly, however long the call takes,
   * which clock_settime(2) cannot (ADJ_SETOFFSET of clock_adjtime(2)).
   */
  public static void shiftRealtime(long nanos) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment timex = arena.allocate(TIMEX_SIZE, Long.BYTES);
      timex.set(ValueLayout.JAVA_INT, 0, ADJ_SETOFFSET | ADJ_NANO);
      timex.set(ValueLayout.JAVA_LONG, TIMEX_SECONDS, Math.floorDiv(nanos, SECOND));
      timex.set(ValueLayout.JAVA_LONG, TIMEX_FRACTION, Math.floorMod(nanos, SECOND));
      long result =
          NativeCall.system(
              CLOCK_ADJTIME, Linux.CLOCK_REALTIME(), timex.address(), 0, 0, 0, 0, timex);
      if (result < 0) {
        throw SyscallException.of("clock_adjtime", "CLOCK_REALTIME, by " + nanos + " ns", result);
      }
    }
  }

  private static long read(int clock, String name) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time = arena.allocate(timespec.layout());
      long result =
          NativeCall.system(Linux.__NR_clock_gettime(), clock, time.address(), 0, 0, 0, 0, time);
      if (result < 0) {
        throw SyscallException.of("clock_gettime", name, result);
      }
      return timespec.tv_sec(time) * SECOND + timespec.tv_nsec(time);
    }
  }
}
