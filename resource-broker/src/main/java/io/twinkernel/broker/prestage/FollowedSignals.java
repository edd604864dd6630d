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
  private final int pid;
  private final boolean parent;
  private final Optional<TwinDevice> module;

  /** Empty where nobody tells of them: then it has none. */
  private final Optional<IntervalTimers> timers;

  private volatile ThreadStatus status;
  private volatile Optional<ModuleThreads> told;
  private List<PendingSignal> waiting = List.of();

  private FollowedSignals(
      int pid,
      boolean parent,
      Optional<TwinDevice> module,
      Optional<IntervalTimers> timers,
      ThreadStatus status,
      Optional<ModuleThreads> told) {
    this.pid = pid;
    this.parent = parent;
    this.module = module;
    this.timers = timers;
    this.status = status;
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
    Optional<ModuleThreads> told = told(module, pid, threads);
    return new FollowedSignals(
        pid, parent, module, timers, ThreadStatus.of(pid, threads, parent, told), told);
  }

  private static Optional<ModuleThreads> told(
      Optional<TwinDevice> module, int pid, List<Integer> threads) {
    return module.isPresent()
        ? Optional.of(new ModuleThreads(module.get(), pid, threads))
        : Optional.empty();
  }

  /** Those that are looked at. */
  List<Integer> threads() {
    return status.threads();
  }

  /** It has these threads now. */
  void become(List<Integer> threads) throws IOException {
    Optional<ModuleThreads> others = told(module, pid, threads);
    ThreadStatus now = ThreadStatus.of(pid, threads, parent, others);
    status.close();
    status = now;
    told = others;
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
    try (ThreadStatus _ = status) {
      if (module.isPresent()) {
        module.get().close();
      }
    }
  }
}
