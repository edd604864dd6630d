package io.twinkernel.broker.prestage;

import io.twinkernel.broker.process.CgroupFreezer;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The threads of a process of which a copy waits, what they have in their registers, and what
 * signals and timers it has for them.
 */
final class FollowedSignals implements AutoCloseable {
  private final ThreadStatus status;
  private final Optional<TwinDevice> module;

  /** Empty where nobody tells of them: then it has none. */
  private final Optional<IntervalTimers> timers;

  private final Optional<ModuleThreads> told;
  private List<PendingSignal> waiting = List.of();

  private FollowedSignals(
      ThreadStatus status,
      Optional<TwinDevice> module,
      Optional<IntervalTimers> timers,
      Optional<ModuleThreads> told) {
    this.status = status;
    this.module = module;
    this.timers = timers;
    this.told = told;
  }

  /**
   * Of a process that has these threads now.
   *
   * @param module what its timers are asked of, closed with this; empty where it is not loaded
   * @param timers what {@link IntervalTimers#follow} returned for it
   * @param parent whether it has children, which are stopped when it is
   */
  static FollowedSignals of(
      int pid,
      List<Integer> threads,
      boolean parent,
      Optional<TwinDevice> module,
      Optional<IntervalTimers> timers)
      throws IOException {
    Optional<ModuleThreads> told =
        module.isPresent()
            ? Optional.of(new ModuleThreads(module.get(), pid, threads))
            : Optional.empty();
    return new FollowedSignals(ThreadStatus.of(pid, threads, parent, told), module, timers, told);
  }

  /** Whether it is known what interval timers it sets. */
  boolean knowsTimers() {
    return timers.isPresent();
  }

  /**
   * Looks at its threads and what waits for it; it is stopped. A timer that strikes from here on is
   * to strike in the copy, one that has struck before has sent a signal by now.
   *
   * @return why the copy cannot have that; empty if it can
   */
  Optional<String> look() throws IOException {
    noteTimers();
    Optional<String> changed = status.changed();
    if (changed.isPresent()) {
      return changed;
    }
    waiting = status.signals();
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
    return status.stackKilobytes();
  }

  /** For who stops the process. */
  CgroupFreezer.Watch stopping() {
    return status.stopping();
  }

  /**
   * Reads the registers of all threads; the process is stopped.
   *
   * @throws IOException also if it has others now
   */
  List<ThreadState> registers() throws IOException {
    if (told.isEmpty()) {
      return ThreadRegisters.capture(status.threads());
    }
    told.get().read();
    return told.get().registers();
  }

  /**
   * Begins to read them once more, as {@link ThreadRegisters#seize}, if {@link #look} has not done
   * that.
   */
  void beginRegisters() throws IOException {
    if (told.isEmpty()) {
      ThreadRegisters.seize(status.threads());
    }
  }

  /** Ends that. */
  List<ThreadState> endRegisters() throws IOException {
    return told.isEmpty()
        ? ThreadRegisters.captureSeized(status.threads())
        : told.get().registers();
  }

  /** What {@link #beginRegisters} began is not to be done; nothing if it is. */
  void letGoRegisters() {
    if (told.isEmpty()) {
      ThreadRegisters.letGo(status.threads());
    }
  }

  @Override
  public void close() throws IOException {
    try (status) {
      if (module.isPresent()) {
        module.get().close();
      }
    }
  }
}
