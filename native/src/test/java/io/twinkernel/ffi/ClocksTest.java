package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import io.twinkernel.ffi.bindings.Linux;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

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
  void settingTheClockTakesEffectOrSaysWhatItNeeds() throws Exception {
    boolean root = ProcessHandle.current().info().user().orElse("").equals("root");
    if (root) {
      long before = Clocks.realtimeNanos();
      Clocks.setRealtime(Clocks.realtimeNanos());
      assertThat(Clocks.realtimeNanos()).isCloseTo(before, within(100_000_000L));
    } else {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> Clocks.setRealtime(Clocks.realtimeNanos()))
          .withMessageEndingWith("needs root (CAP_SYS_TIME)");
    }
  }

  @Test
  void aTimeBefore1970IsRefused() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> Clocks.setRealtime(-1))
        .satisfies(failure -> assertThat(failure.errno().name()).isIn("EINVAL", "EPERM"))
        .withMessageStartingWith("clock_settime(CLOCK_REALTIME, -1 ns): E");
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
