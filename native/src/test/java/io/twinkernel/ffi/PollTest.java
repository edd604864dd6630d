package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.twinkernel.ffi.bindings.Errnos;
import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class PollTest {
  private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

  private final MemorySegment message = Arena.ofAuto().allocateFrom("ping");

  @Test
  void nothingInTimeIsZero() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_SEQPACKET());
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      long start = System.nanoTime();

      assertThat(first.poll(Linux.POLLIN(), Duration.ofMillis(80))).isZero();

      assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(80_000_000);
      assertThat(first.poll(Linux.POLLIN(), Duration.ZERO)).isZero();
      assertThat(first.poll(Linux.POLLIN(), Duration.ofSeconds(-1))).isZero();
      assertThat(second.poll(Linux.POLLOUT(), FOR_EVER)).isEqualTo(Linux.POLLOUT());
    }
  }

  @Test
  void aMessageWakes() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_SEQPACKET());
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      AtomicLong events = new AtomicLong();
      BlockedThread.Started waiting =
          BlockedThread.start(
              BlockedThread.PPOLL, () -> events.set(first.poll(Linux.POLLIN(), FOR_EVER)));

      second.write(message);

      waiting.thread().join();
      assertThat(events).hasValue(Linux.POLLIN());
    }
  }

  @Test
  void aPeerThatGoesIsSeen() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_STREAM());
    try (Fd first = pair.first()) {
      pair.second().close();

      assertThat(first.poll(Linux.POLLIN(), FOR_EVER)).isEqualTo(Linux.POLLIN() | Linux.POLLHUP());
    }
  }

  @Test
  void aClosedDescriptorIsEbadf() throws Exception {
    Fd closed = Fd.open("/dev/null", Linux.O_RDONLY());
    closed.close();

    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> closed.poll(Linux.POLLIN(), FOR_EVER))
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EBADF));
  }

  /** The JVM has a handler for SIGPIPE, which does nothing; ppoll is never restarted after one. */
  @Test
  void signalsNeitherEndNorProlongTheWait() throws Exception {
    Sockets.Pair pair = Sockets.socketpair(Linux.SOCK_STREAM());
    try (Fd first = pair.first();
        Fd second = pair.second()) {
      AtomicLong took = new AtomicLong();
      AtomicLong events = new AtomicLong(-1);
      BlockedThread.Started waiting =
          BlockedThread.start(
              BlockedThread.PPOLL,
              () -> {
                long start = System.nanoTime();
                events.set(first.poll(Linux.POLLIN(), Duration.ofMillis(400)));
                took.set(System.nanoTime() - start);
              });

      for (int i = 0; i < 8; i++) {
        Processes.kill(waiting.id(), Linux.SIGPIPE());
        second.poll(Linux.POLLIN(), Duration.ofMillis(20));
      }

      waiting.thread().join();
      assertThat(events).hasValue(0);
      assertThat(took).hasValueBetween(400_000_000L, 4_000_000_000L);
    }
  }

  /** So that the test above proves something. */
  @Test
  void theSameSignalsDoEndABareCall() throws Exception {
    AtomicLong result = new AtomicLong();
    BlockedThread.Started waiting =
        BlockedThread.start(
            BlockedThread.PPOLL,
            () ->
                result.set(
                    NativeCall.system(Linux.__NR_ppoll(), 0, 0, 0, 0, 0, 0, MemorySegment.NULL)));

    Processes.kill(waiting.id(), Linux.SIGPIPE());

    waiting.thread().join();
    assertThat(result).hasValue(-Errnos.EINTR());
  }
}
