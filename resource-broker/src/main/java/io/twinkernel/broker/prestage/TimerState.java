package io.twinkernel.broker.prestage;

import io.twinkernel.broker.cpu.CpuList;
import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TimerFd;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
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

  /** How many bytes {@link #write} writes. */
  static final int BYTES = 3 * Integer.BYTES + 3 * Long.BYTES;

  private static final int OCTAL = 8;
  private static final long SECOND = 1_000_000_000;
  private static final int MOST_LOOKS = 8;
  private static final String ONLINE = "/sys/devices/system/cpu/online";

  /** CLOCK_REALTIME_ALARM of include/uapi/linux/time.h. */
  private static final int REALTIME_ALARM = 8;

  /**
   * One that a process has open, which is stopped.
   *
   * @param timer the same open file here
   */
  record Open(int descriptor, Fd timer) {}

  /** Of each of several. */
  static List<TimerState> of(List<Open> timers) throws IOException {
    var looks = new ArrayList<Look>(timers.size());
    for (Open one : timers) {
      looks.add(Look.at(one.timer()));
    }
    for (int i = 1; i < MOST_LOOKS && !areSure(looks); i++) {
      // Some expire right now, or are not to expire at all.
      TimerFd.awaitDue(CpuList.parse(SysFiles.read(ONLINE)));
      for (int each = 0; each < looks.size(); each++) {
        if (!looks.get(each).sure()) {
          looks.set(each, looks.get(each).again(timers.get(each).timer()));
        }
      }
    }
    var states = new ArrayList<TimerState>(timers.size());
    for (int i = 0; i < looks.size(); i++) {
      states.add(looks.get(i).of(timers.get(i).descriptor()));
    }
    return List.copyOf(states);
  }

  private static boolean areSure(List<Look> looks) {
    for (Look look : looks) {
      if (!look.sure()) {
        return false;
      }
    }
    return true;
  }

  /**
   * What a timerfd tells, which is not all of one moment.
   *
   * @param asked when it had the setting
   * @param ticks later
   * @param left until it expired next, when it had had those ticks
   * @param idle whether it is known not to expire any more
   */
  private record Look(
      TimerFd.Setting setting,
      long asked,
      int clock,
      int flags,
      long ticks,
      long left,
      boolean idle) {

    static Look at(Fd timer) throws IOException {
      // First: one that is to expire again counts on by that.
      TimerFd.Setting setting = TimerFd.get(timer);
      long asked = Clocks.realtimeNanos();
      String file = "/proc/self/fdinfo/" + timer.number();
      Matcher info = info(SysFiles.read(file));
      // Once more: what is left the kernel looks at before the ticks that it tells with it
      // (timerfd_show(), fs/timerfd.c), and one that has expired since says 0.
      Matcher later = info(SysFiles.read(file));
      return new Look(
          setting,
          asked,
          Integer.parseInt(info.group(1)),
          Integer.parseInt(info.group(3), OCTAL),
          Long.parseUnsignedLong(info.group(2)),
          Long.parseLong(later.group(4)) * SECOND + Long.parseLong(later.group(5)),
          false);
    }

    /** Once more, after what was due has expired. */
    Look again(Fd timer) throws IOException {
      Look now = at(timer);
      boolean over = now.setting.interval() == 0 || now.ticks == ticks;
      return new Look(
          now.setting,
          now.asked,
          now.clock,
          now.flags,
          now.ticks,
          now.left,
          over && now.setting.left() == 0);
    }

    /** Whether it is idle, or was about to expire all the while. */
    boolean sure() {
      return idle || (setting.left() != 0 && left != 0);
    }

    TimerState of(int descriptor) {
      // What expires whenever it is looked at goes on at once.
      long expiry = idle ? 0 : asked + (sure() ? setting.left() : 0);
      return new TimerState(descriptor, clock, flags, ticks, expiry, setting.interval());
    }
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

  void write(ByteBuffer out) {
    out.putInt(descriptor).putInt(clock).putInt(flags);
    out.putLong(ticks).putLong(expiry).putLong(interval);
  }

  static TimerState read(ByteBuffer in) {
    return new TimerState(
        in.getInt(), in.getInt(), in.getInt(), in.getLong(), in.getLong(), in.getLong());
  }
}
