package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.timespec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The kernel's clocks, in nanoseconds. */
public final class Clocks {
  private static final long SECOND = 1_000_000_000;

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

  /** Sets CLOCK_REALTIME. */
  public static void setRealtime(long nanos) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time = arena.allocate(timespec.layout());
      timespec.tv_sec(time, Math.floorDiv(nanos, SECOND));
      timespec.tv_nsec(time, Math.floorMod(nanos, SECOND));
      long result =
          NativeCall.system(
              Linux.__NR_clock_settime(), Linux.CLOCK_REALTIME(), time.address(), 0, 0, 0, 0, time);
      if (result < 0) {
        throw SyscallException.of("clock_settime", "CLOCK_REALTIME, " + nanos + " ns", result);
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
