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

  /** What is read within so many nanoseconds is of one moment. */
  private static final long AT_ONCE = 200_000;

  private static final int MOST_TRIES = 3;

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
    String path = "/proc/self/fdinfo/" + timer.number();
    long before = Clocks.realtimeNanos();
    Matcher info = info(SysFiles.read(path));
    long now = Clocks.realtimeNanos();
    // What it says is of one moment; one that expires in between counts on again.
    for (int tries = 1;
        tries < MOST_TRIES && (now - before > AT_ONCE || (left(info) == 0 && setting.left() != 0));
        tries++) {
      setting = TimerFd.get(timer);
      before = Clocks.realtimeNanos();
      info = info(SysFiles.read(path));
      now = Clocks.realtimeNanos();
    }
    return new TimerState(
        descriptor,
        Integer.parseInt(info.group(1)),
        Integer.parseInt(info.group(3), OCTAL),
        Long.parseUnsignedLong(info.group(2)),
        left(info) == 0 ? 0 : now + left(info),
        setting.interval());
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
