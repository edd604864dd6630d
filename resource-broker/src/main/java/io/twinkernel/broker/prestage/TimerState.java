package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TimerFd;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * When a timerfd expires (fs/timerfd.c).
 *
 * @param descriptor number in the process
 * @param clock CLOCK_*
 * @param flags TFD_TIMER_* that it was set with
 * @param ticks how often it has expired since it was read
 * @param expiry when it does next, in nanoseconds of CLOCK_REALTIME, which both kernels have; 0:
 *     never
 * @param interval after which it does again, each time, in nanoseconds; 0: once
 */
record TimerState(int descriptor, int clock, int flags, long ticks, long expiry, long interval) {
  private static final Pattern INFO =
      Pattern.compile(
          """
          ^clockid: (\\d+)
          ticks: (\\d+)
          settime flags: (0\\d+)
          it_value: \\((\\d+), (\\d+)\\)
          """,
          Pattern.MULTILINE);

  private static final int OCTAL = 8;
  private static final long SECOND = 1_000_000_000;

  /** CLOCK_REALTIME_ALARM of include/uapi/linux/time.h. */
  private static final int REALTIME_ALARM = 8;

  /**
   * Of one that a process has open, which is stopped.
   *
   * @param timer the same open file here
   */
  static TimerState of(int descriptor, Fd timer) throws IOException {
    // First: one that is to expire again counts on by that.
    TimerFd.Setting setting = TimerFd.get(timer);
    long asked = Clocks.realtimeNanos();
    Matcher info = info(SysFiles.read("/proc/self/fdinfo/" + timer.number()));
    return new TimerState(
        descriptor,
        Integer.parseInt(info.group(1)),
        Integer.parseInt(info.group(3), OCTAL),
        Long.parseUnsignedLong(info.group(2)),
        expiry(asked, setting, left(info)),
        setting.interval());
  }

  /**
   * When one expires next.
   *
   * @param asked when it was set like that
   * @param left what was left when its ticks were read, later; 0 if it had expired by then: that is
   *     among the ticks, and it does not count on before it is asked again
   */
  static long expiry(long asked, TimerFd.Setting setting, long left) {
    if (setting.left() == 0) {
      return 0;
    }
    long expiry = asked + setting.left();
    if (left != 0) {
      return expiry;
    }
    return setting.interval() == 0 ? 0 : expiry + setting.interval();
  }

  private static long left(Matcher info) {
    return Long.parseLong(info.group(4)) * SECOND + Long.parseLong(info.group(5));
  }

  /** The clock that an fdinfo tells. */
  static int clock(String info) throws IOException {
    return Integer.parseInt(info(info).group(1));
  }

  private static Matcher info(String text) throws IOException {
    Matcher info = INFO.matcher(text);
    if (!info.find()) {
      throw new IOException("no timerfd's fdinfo: " + text);
    }
    return info;
  }

  /** Has a copy's expire when this one would. */
  void set(Fd timer) throws SyscallException {
    boolean ofTheDay = clock == Linux.CLOCK_REALTIME() || clock == REALTIME_ALARM;
    boolean absolute = ofTheDay && (flags & Linux.TFD_TIMER_ABSTIME()) != 0;
    long now = Clocks.realtimeNanos();
    long missed = 0;
    if (expiry != 0 && expiry <= now) {
      missed = interval == 0 ? 1 : 1 + (now - expiry) / interval;
    }
    long next = expiry == 0 || (missed != 0 && interval == 0) ? 0 : expiry + missed * interval;
    TimerFd.set(timer, absolute ? flags : 0, absolute || next == 0 ? next : next - now, interval);
    if (ticks + missed != 0) {
      TimerFd.expired(timer, ticks + missed);
    }
  }
}
