package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Clocks;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.TimerFd;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the timerfds of one stopped shell are set to, those of another one come to be set to. */
final class TimerStateTest {
  private static final int DUP = 32; // arch/x86/entry/syscalls/syscall_64.tbl
  private static final long MILLISECOND = 1_000_000;
  private static final int ROUNDS = 5000;
  private static final long HOUR = 3_600_000 * MILLISECOND;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private StoppedShell one;
  private StoppedShell other;
  private SourceProcess source;
  private StagedProcess copy;
  private int number;

  @BeforeEach
  void start() throws Exception {
    one = StoppedShell.start();
    other = StoppedShell.start();
    source = SourceProcess.follow(one.pid(), "", false);
    source.begin();
    copy =
        StagedProcess.hold(other.pid(), List.of(other.pid()), List.of(), List.of(), List.of(), "");
    try (var itself = SourceProcess.follow(other.pid(), "", false)) {
      copy.takeRegisters(itself.registers().orElseThrow());
    }
  }

  @AfterEach
  void end() throws Exception {
    copy.close();
    source.close();
    other.close();
    one.close();
  }

  private void create(int clock, int flags) throws IOException {
    number = (int) one.call(Linux.__NR_timerfd_create(), clock, flags);
  }

  /** The switch, as far as it is about timers. */
  private void move() throws IOException {
    source.letGo();
    assertThat(source.restructured(Steps.UNTOLD)).isEmpty();
    DescriptorChanges told =
        DescriptorChanges.fromBytes(source.descriptors(Optional.empty()).toBytes());
    copy.takeDescriptors(
        new DescriptorChanges(
            other.pid(),
            told.closed(),
            List.of(),
            told.epolls(),
            List.of(),
            told.timers(),
            Optional.empty()));
    source.beginRegisters();
    ProcessDelta rest = source.readRest(Steps.UNTOLD);
    var delta =
        new ProcessDelta(
            other.pid(),
            List.of(),
            List.of(),
            List.of(),
            Optional.empty(),
            rest.timers(),
            List.of());
    copy.take(ProcessDelta.fromBytes(delta.toBytes()), Steps.UNTOLD);
  }

  private TimerState state(Fd timer) throws IOException {
    return TimerState.of(List.of(new TimerState.Open(number, timer))).getFirst();
  }

  private static long read(Fd timer) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
      assertThat(timer.poll(Linux.POLLIN(), PATIENCE)).isNotZero();
      assertThat(timer.read(count)).isEqualTo(Long.BYTES);
      return count.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  private String info(StoppedShell shell) throws IOException {
    return SysFiles.read("/proc/" + shell.pid() + "/fdinfo/" + number);
  }

  @Test
  void oneThatWasNotSetIsNot() throws Exception {
    create(Linux.CLOCK_MONOTONIC(), Linux.O_NONBLOCK() | Linux.O_CLOEXEC());
    move();
    try (Fd timer = other.descriptor(number)) {
      assertThat(TimerFd.get(timer)).isEqualTo(new TimerFd.Setting(0, 0));
    }
    assertThat(DiskFile.flags(info(other))).isEqualTo(DiskFile.flags(info(one)));
    assertThat(info(other)).contains("clockid: 1\nticks: 0\n");
  }

  @Test
  void itExpiresWhenItWouldHave() throws Exception {
    create(Linux.CLOCK_MONOTONIC(), 0);
    long left;
    try (Fd timer = one.descriptor(number)) {
      TimerFd.set(timer, 0, HOUR, HOUR / 2);
      move();
      left = TimerFd.get(timer).left();
    }
    try (Fd timer = other.descriptor(number)) {
      TimerFd.Setting now = TimerFd.get(timer);
      assertThat(now.interval()).isEqualTo(HOUR / 2);
      assertThat(now.left()).isBetween(left - 1000 * MILLISECOND, left + MILLISECOND);
    }
  }

  @Test
  void whatHasExpiredIsThereToBeRead() throws Exception {
    create(Linux.CLOCK_MONOTONIC(), 0);
    try (Fd timer = one.descriptor(number)) {
      TimerFd.set(timer, 0, 1, 0);
      assertThat(timer.poll(Linux.POLLIN(), PATIENCE)).isNotZero();
    }
    move();
    try (Fd timer = other.descriptor(number)) {
      assertThat(read(timer)).isEqualTo(1);
      assertThat(TimerFd.get(timer)).isEqualTo(new TimerFd.Setting(0, 0));
    }
  }

  /** None of the times is lost, none is counted twice. */
  @Test
  void oneThatExpiresOverAndOverCountsOn() throws Exception {
    create(Linux.CLOCK_MONOTONIC(), 0);
    long from = System.nanoTime();
    try (Fd timer = one.descriptor(number)) {
      TimerFd.set(timer, 0, 5 * MILLISECOND, 5 * MILLISECOND);
      assertThat(timer.poll(Linux.POLLIN(), PATIENCE)).isNotZero();
    }
    move();
    try (Fd timer = other.descriptor(number)) {
      long ticks = read(timer);
      while (ticks < 100) {
        ticks += read(timer);
      }
      long due = (System.nanoTime() - from) / (5 * MILLISECOND);
      assertThat(ticks).isBetween(due - 2, due + 1);
    }
  }

  @Test
  void oneOfATimeOfDayKeepsIt() throws Exception {
    create(Linux.CLOCK_REALTIME(), 0);
    long noon = Clocks.realtimeNanos() + HOUR;
    int flags = Linux.TFD_TIMER_ABSTIME() | Linux.TFD_TIMER_CANCEL_ON_SET();
    try (Fd timer = one.descriptor(number)) {
      TimerFd.set(timer, flags, noon, 0);
    }
    move();
    assertThat(info(other)).contains("clockid: 0\nticks: 0\nsettime flags: 03\n");
    try (Fd timer = other.descriptor(number)) {
      assertThat(Clocks.realtimeNanos() + TimerFd.get(timer).left())
          .isBetween(noon - 100 * MILLISECOND, noon + 100 * MILLISECOND);
    }
  }

  /** What it is set to and how often it has expired cannot be read at once. */
  @Test
  void oneThatExpiresWhileItIsReadIsNotLost() throws Exception {
    create(Linux.CLOCK_MONOTONIC(), 0);
    try (Fd timer = one.descriptor(number)) {
      for (int i = 0; i < ROUNDS; i++) {
        long left = 1 + i * 100L % (MILLISECOND / 2);
        TimerFd.set(timer, 0, left, 0);
        TimerState once = state(timer);
        assertThat(once.expiry() == 0).as("%d ns: %s", left, once).isEqualTo(once.ticks() == 1);
        TimerFd.set(timer, 0, left, MILLISECOND / 4);
        assertThat(state(timer).expiry()).isNotZero();
      }
    }
  }

  /** Faster than anybody can ask. */
  @Test
  void oneThatExpiresAllTheTimeGoesOn() throws Exception {
    create(Linux.CLOCK_MONOTONIC(), 0);
    try (Fd timer = one.descriptor(number)) {
      TimerFd.set(timer, 0, 1000, 1000);
      assertThat(state(timer).expiry()).isNotZero();
      TimerFd.set(timer, 0, 0, 1000);
      assertThat(state(timer).expiry()).isZero();
    }
  }

  /** The copy would have two of them. */
  @Test
  void oneByTwoNumbersIsNotToldOf() throws Exception {
    create(Linux.CLOCK_MONOTONIC(), 0);
    one.call(DUP, number);
    assertThat(source.restructured(Steps.UNTOLD)).get().asString().contains("timerfd", "is new");
  }

  @Test
  void oneThatIsClosedIsClosed() throws Exception {
    create(Linux.CLOCK_MONOTONIC(), 0);
    move();
    assertThat(other.descriptors()).contains(number);
    one.call(Linux.__NR_close(), number);
    move();
    assertThat(other.descriptors()).doesNotContain(number);
  }
}
