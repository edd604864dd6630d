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
  static final int TIMEX_FREQUENCY = 16;
  static final int TIMEX_SECONDS = 72;
  static final int TIMEX_FRACTION = 80;
  static final int TIMEX_TICK = 88;
  static final int ADJ_FREQUENCY = 2;
  static final int ADJ_TICK = 0x4000;
  static final int ADJ_SETOFFSET = 0x100;
  static final int ADJ_NANO = 0x2000;
  static final int CLOCK_ADJTIME = 305;

  /** Microseconds that a tick is worth (kernel/time/ntp.c), so that one more is 100 ppm. */
  private static final int USUAL_TICK = 10_000;

  private static final double TICK_PPM = 100;

  /** Of the frequency's unit a ppm has so many. */
  private static final double FREQUENCY_PPM = 1 << 16;

  private Clocks() {}

  /** CLOCK_REALTIME: nanoseconds since 1970. */
  public static long realtimeNanos() throws SyscallException {
    return nanos(Linux.CLOCK_REALTIME());
  }

  /** CLOCK_MONOTONIC: nanoseconds since this kernel started, in this time namespace. */
  public static long monotonicNanos() throws SyscallException {
    return nanos(Linux.CLOCK_MONOTONIC());
  }

  /** CLOCK_BOOTTIME: as CLOCK_MONOTONIC, and the time that the machine was suspended. */
  public static long boottimeNanos() throws SyscallException {
    return nanos(Linux.CLOCK_BOOTTIME());
  }

  /**
   * Moves CLOCK_REALTIME by some nanoseconds, ahead or back: exactly, however long the call takes,
   * which clock_settime(2) cannot (ADJ_SETOFFSET of clock_adjtime(2)).
   */
  public static void shiftRealtime(long nanos) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment timex = timex(arena, ADJ_SETOFFSET | ADJ_NANO);
      timex.set(ValueLayout.JAVA_LONG, TIMEX_SECONDS, Math.floorDiv(nanos, SECOND));
      timex.set(ValueLayout.JAVA_LONG, TIMEX_FRACTION, Math.floorMod(nanos, SECOND));
      adjust(timex, "by " + nanos + " ns");
    }
  }

  /**
   * By how much faster than its clock source the kernel has its clocks run, in parts per million:
   * what NTP has found, usually. CLOCK_MONOTONIC, too.
   */
  public static double rate() throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment timex = timex(arena, 0);
      adjust(timex, "rate");
      return (timex.get(ValueLayout.JAVA_LONG, TIMEX_TICK) - USUAL_TICK) * TICK_PPM
          + timex.get(ValueLayout.JAVA_LONG, TIMEX_FREQUENCY) / FREQUENCY_PPM;
    }
  }

  /**
   * Sets {@link #rate}.
   *
   * @param ppm up to 100,000 (a tenth) in either direction, kept to 1/65536
   */
  public static void setRate(double ppm) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment timex = timex(arena, ADJ_TICK | ADJ_FREQUENCY);
      long ticks = Math.round(ppm / TICK_PPM);
      timex.set(ValueLayout.JAVA_LONG, TIMEX_TICK, USUAL_TICK + ticks);
      long rest = Math.round((ppm - ticks * TICK_PPM) * FREQUENCY_PPM);
      timex.set(ValueLayout.JAVA_LONG, TIMEX_FREQUENCY, rest);
      adjust(timex, "rate " + ppm + " ppm");
    }
  }

  private static MemorySegment timex(Arena arena, int modes) {
    MemorySegment timex = arena.allocate(TIMEX_SIZE, Long.BYTES);
    timex.set(ValueLayout.JAVA_INT, 0, modes);
    return timex;
  }

  private static void adjust(MemorySegment timex, String what) throws SyscallException {
    long result =
        NativeCall.system(
            CLOCK_ADJTIME, Linux.CLOCK_REALTIME(), timex.address(), 0, 0, 0, 0, timex);
    if (result < 0) {
      throw SyscallException.of("clock_adjtime", "CLOCK_REALTIME, " + what, result);
    }
  }

  /**
   * What a clock says.
   *
   * @param clock CLOCK_* of {@link Linux}
   */
  public static long nanos(int clock) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time = arena.allocate(timespec.layout());
      long result =
          NativeCall.system(Linux.__NR_clock_gettime(), clock, time.address(), 0, 0, 0, 0, time);
      if (result < 0) {
        throw SyscallException.of("clock_gettime", "clock " + clock, result);
      }
      return timespec.tv_sec(time) * SECOND + timespec.tv_nsec(time);
    }
  }
}
