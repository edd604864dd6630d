package io.twinkernel.broker.prestage;

import io.twinkernel.broker.process.CgroupFreezer;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The threads of a process of which a copy waits, and what signals and timers it has for them. */
final class FollowedSignals implements AutoCloseable {
  private final ThreadStatus threads;

  /** Empty where nobody tells of them: then it has none. */
  private final Optional<IntervalTimers> timers;

  private List<PendingSignal> waiting = List.of();

  /**
   * @param threads closed with this, as are the timers
   */
  FollowedSignals(ThreadStatus threads, Optional<IntervalTimers> timers) {
    this.threads = threads;
    this.timers = timers;
  }

  /** Whether it is known what interval timers it sets. */
  boolean knowsTimers() {
    return timers.isPresent();
  }

  /**
   * Looks at what waits for it; it is stopped. A timer that strikes from here on is to strike in
   * the copy, one that has struck before has sent a signal by now.
   *
   * @return why the copy cannot have that; empty if it can
   */
  Optional<String> look() throws IOException {
    noteTimers();
    Optional<String> changed = threads.changed();
    if (changed.isPresent()) {
      return changed;
    }
    waiting = threads.signals();
    for (PendingSignal signal : waiting) {
      if (signal.number() == Linux.SIGALRM()) {
        // It may have struck since.
        noteTimers();
      }
    }
    return Optional.empty();
  }

  private void noteTimers() throws IOException {
    if (timers.isPresent()) {
      timers.get().note();
    }
  }

  /** What {@link #look} has seen wait. */
  List<PendingSignal> waiting() {
    return waiting;
  }

  /** The timer that it has seen set. */
  Optional<IntervalTimer> timer() {
    return timers.isPresent() ? timers.get().real() : Optional.empty();
  }

  /** How large its stack is now: VmStk of {@code /proc/PID/status}. */
  long stackKilobytes() throws IOException {
    return threads.stackKilobytes();
  }

  /** For who stops the process. */
  CgroupFreezer.Watch stopping() {
    return threads.stopping();
  }

  @Override
  public void close() throws IOException {
    try (threads) {
      if (timers.isPresent()) {
        timers.get().close();
      }
    }
  }
}
