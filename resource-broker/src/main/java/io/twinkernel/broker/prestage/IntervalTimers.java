package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import java.util.Optional;

/**
 * The interval timers of a process, which the twin module tells of. ITIMER_REAL goes over; those of
 * its processor time do not.
 */
final class IntervalTimers {
  private final int pid;
  private final TwinDevice module;
  private Optional<IntervalTimer> real = Optional.empty();

  private IntervalTimers(int pid, TwinDevice module) {
    this.pid = pid;
    this.module = module;
  }

  /**
   * @throws Unstageable if it has one that does not go over
   */
  static IntervalTimers follow(int pid, TwinDevice module) throws SyscallException, Unstageable {
    if (module.timers(pid).others()) {
      throw new Unstageable("it has an interval timer of its processor time");
    }
    return new IntervalTimers(pid, module);
  }

  /**
   * Notes when it strikes next. If it has struck before, the process, which is stopped, has got the
   * signal already.
   */
  void note() throws SyscallException {
    TwinDevice.Timers now = module.timers(pid);
    // One that is to strike again does not run before its signal is taken (kernel/signal.c): so the
    // copy's is to strike at once, which is that signal.
    boolean set = now.real() != 0 || now.interval() != 0;
    real = set ? Optional.of(IntervalTimer.in(now.real(), now.interval())) : Optional.empty();
  }

  /** What {@link #note} noted. */
  Optional<IntervalTimer> real() {
    return real;
  }
}
