package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import io.twinkernel.ffi.bindings.Linux;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ClocksTest {
  private static final int SAMPLES = 5;

  @Test
  void realtimeIsTheWallClock() throws Exception {
    Instant before = Instant.now();
    long nanos = Clocks.realtimeNanos();
    Instant after = Instant.now();

    // Instant is cut to microseconds or less.
    assertThat(Instant.ofEpochSecond(0, nanos)).isBetween(before.minusNanos(1000), after);
  }

  @Test
  void monotonicIsTheOneOfTheKernel() throws Exception {
    long before = System.nanoTime();
    long nanos = Clocks.monotonicNanos();
    long after = System.nanoTime();

    // On Linux the JVM's clock is CLOCK_MONOTONIC too.
    assertThat(nanos).isBetween(before, after);
  }

  @Test
  void theClockMovesByJustWhatIsAsked() throws Exception {
    boolean root = ProcessHandle.current().info().user().orElse("").equals("root");
    if (root) {
      long before = Clocks.realtimeNanos() - Clocks.monotonicNanos();
      Clocks.shiftRealtime(3_000_000_000L);
      long ahead = Clocks.realtimeNanos() - Clocks.monotonicNanos();
      Clocks.shiftRealtime(-3_000_000_000L);
      long after = Clocks.realtimeNanos() - Clocks.monotonicNanos();
      assertThat(ahead - before).isCloseTo(3_000_000_000L, within(20_000_000L));
      assertThat(after).isCloseTo(before, within(20_000_000L));
    } else {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> Clocks.shiftRealtime(1))
          .withMessageEndingWith("needs root (CAP_SYS_TIME)");
    }
  }

  @Test
  void theClockRunsAsFastAsIsAsked() throws Exception {
    double before = Clocks.rate();
    if (!ProcessHandle.current().info().user().orElse("").equals("root")) {
      assertThatExceptionOfType(SyscallException.class).isThrownBy(() -> Clocks.setRate(before));
      return;
    }
    try {
      for (double ppm : new double[] {0, 0.25, -3, 49.5, 512.125, -99_999.75}) {
        Clocks.setRate(ppm);
        assertThat(Clocks.rate()).isEqualTo(ppm);
      }
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> Clocks.setRate(101_000))
          .withMessageStartingWith("clock_adjtime(CLOCK_REALTIME, rate 101000.0 ppm)");
    } finally {
      Clocks.setRate(before);
    }
  }

  @Test
  void theHeadersSayTheSameOfTimex(@TempDir Path folder) throws Exception {
    String source =
        """
        #include <stddef.h>
        #include <sys/syscall.h>
        #include <sys/timex.h>
        _Static_assert(sizeof(struct timex) == %d, "size");
        _Static_assert(offsetof(struct timex, freq) == %d, "frequency");
        _Static_assert(offsetof(struct timex, time.tv_sec) == %d, "seconds");
        _Static_assert(offsetof(struct timex, time.tv_usec) == %d, "fraction");
        _Static_assert(offsetof(struct timex, tick) == %d, "tick");
        _Static_assert(ADJ_FREQUENCY == %d && ADJ_TICK == %d, "modes");
        _Static_assert(offsetof(struct timex, modes) == 0, "modes");
        _Static_assert(ADJ_SETOFFSET == %d && ADJ_NANO == %d, "modes");
        _Static_assert(SYS_clock_adjtime == %d, "call");
        """
            .formatted(
                Clocks.TIMEX_SIZE,
                Clocks.TIMEX_FREQUENCY,
                Clocks.TIMEX_SECONDS,
                Clocks.TIMEX_FRACTION,
                Clocks.TIMEX_TICK,
                Clocks.ADJ_FREQUENCY,
                Clocks.ADJ_TICK,
                Clocks.ADJ_SETOFFSET,
                Clocks.ADJ_NANO,
                Clocks.CLOCK_ADJTIME);

    assertThat(CCompiler.check(folder, source).output()).isEmpty();
  }

  @Test
  void aTimeBefore1970IsRefused() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Clocks.shiftRealtime(-Clocks.realtimeNanos() - 1))
        .satisfies(failure -> assertThat(failure.errno().name()).isIn("EINVAL", "EPERM"))
        .withMessageStartingWith("clock_adjtime(CLOCK_REALTIME, by -");
  }

  @Test
  void theTimeStampCounterGrows() {
    long last = Tsc.read();
    for (int i = 0; i < 100_000; i++) {
      long now = Tsc.read();
      assertThat(now > last).isTrue();
      last = now;
    }
  }

  @Test
  void theTimeStampCounterRunsAsEvenlyAsTheWallClock() throws Exception {
    long[] frequencies = new long[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
      frequencies[i] = ticksPerMillisecond();
    }

    Arrays.sort(frequencies);
    long median = frequencies[SAMPLES / 2];
    assertThat(median).isBetween(200_000L, 10_000_000L);
    assertThat(frequencies[1]).isCloseTo(median, within(median / 50));
    assertThat(frequencies[SAMPLES - 2]).isCloseTo(median, within(median / 50));
  }

  private static long ticksPerMillisecond() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_STREAM());
    try (Fd quiet = pair.first();
        Fd other = pair.second()) {
      long nanos = System.nanoTime();
      long ticks = Tsc.read();
      quiet.poll(Linux.POLLIN(), Duration.ofMillis(30));
      nanos = System.nanoTime() - nanos;
      ticks = Tsc.read() - ticks;
      assertThat(other.number()).isNotNegative();
      return ticks * 1_000_000 / nanos;
    }
  }
}
