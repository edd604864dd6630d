package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.itimerspec;
import io.twinkernel.ffi.bindings.timespec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.Collection;

/** {@code timerfd_settime(2)} and what belongs to it. Times are in nanoseconds. */
public final class TimerFd {
  private static final long SECOND = 1_000_000_000;

  /** Of linux/timerfd.h, which defines what fcntl.h does. */
  private static final int TFD_IOC_SET_TICKS = 0x40085400;

  private TimerFd() {}

  /**
   * What one is set to.
   *
   * @param left until it expires; 0: it does not
   * @param interval after which it does again, each time; 0: once
   */
  public record Setting(long left, long interval) {}

  /** {@code timerfd_gettime(2)}; one that has expired and is to again counts on. */
  public static Setting get(Fd timer) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment setting = arena.allocate(itimerspec.layout());
      call("timerfd_gettime", timer, Linux.__NR_timerfd_gettime(), setting.address(), 0, setting);
      return new Setting(
          nanos(itimerspec.it_value(setting)), nanos(itimerspec.it_interval(setting)));
    }
  }

  private static long nanos(MemorySegment time) {
    return timespec.tv_sec(time) * SECOND + timespec.tv_nsec(time);
  }

  /**
   * Sets one; it has not expired, then.
   *
   * @param flags TFD_TIMER_*
   * @param value when it expires, by the flags; 0: never
   * @param interval as in {@link Setting}
   */
  public static void set(Fd timer, int flags, long value, long interval) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment setting = arena.allocate(itimerspec.layout());
      put(itimerspec.it_value(setting), value);
      put(itimerspec.it_interval(setting), interval);
      call(
          "timerfd_settime",
          timer,
          Linux.__NR_timerfd_settime(),
          flags,
          setting.address(),
          setting);
    }
  }

  private static void put(MemorySegment time, long nanos) {
    timespec.tv_sec(time, nanos / SECOND);
    timespec.tv_nsec(time, nanos % SECOND);
  }

  /**
   * As if it had expired so often since it was read.
   *
   * @param ticks 1 or more
   */
  public static void expired(Fd timer, long ticks) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      timer.ioctl(TFD_IOC_SET_TICKS, arena.allocateFrom(ValueLayout.JAVA_LONG, ticks));
    }
  }

  /**
   * Returns when whatever timer was due before has expired. One that is due need not have expired
   * yet: interrupts may be late, those of an emulated CPU by many milliseconds.
   *
   * @param cpus all that there are; passed over where this thread may not run
   */
  public static void awaitDue(Collection<Integer> cpus) throws SyscallException {
    if (cpus.size() == 1) {
      awaitDueHere();
      return;
    }
    BitSet before = Affinity.get();
    try {
      for (int cpu : cpus) {
        var one = new BitSet();
        one.set(cpu);
        try {
          Affinity.set(one);
        } catch (SyscallException e) {
          if (e.errno().equals(Errno.EINVAL)) {
            continue;
          }
          throw e;
        }
        awaitDueHere();
      }
    } finally {
      Affinity.set(before);
    }
  }

  /** A CPU's timers expire at one interrupt, all that are due (kernel/time/hrtimer.c). */
  private static void awaitDueHere() throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment moment = arena.allocate(timespec.layout());
      timespec.tv_nsec(moment, 1);
      long result =
          NativeCall.uninterrupted(Linux.__NR_ppoll(), 0, 0, moment.address(), 0, 0, 0, moment);
      if (result < 0) {
        throw SyscallException.of("poll", "nothing", result);
      }
    }
  }

  private static void call(
      String name, Fd timer, int number, long second, long third, MemorySegment argument)
      throws SyscallException {
    long result = NativeCall.system(number, timer.number(), second, third, 0, 0, 0, argument);
    if (result < 0) {
      throw SyscallException.of(name, timer.label(), result);
    }
  }
}
