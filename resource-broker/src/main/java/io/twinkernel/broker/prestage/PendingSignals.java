package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The signals that wait for a stopped process, by which its copy is to go on as it would: sent by
 * one that stopped a moment later, or by a timer. SIGCHLD is not among them: that children have
 * stopped, too, is none of a process's business.
 */
final class PendingSignals {
  /** What stops, or continues, or ends it here already. */
  private static final long NOT_CARRIED =
      bit(Linux.SIGKILL())
          | bit(Linux.SIGSTOP())
          | bit(Linux.SIGTSTP())
          | bit(Linux.SIGTTIN())
          | bit(Linux.SIGTTOU())
          | bit(Linux.SIGCONT());

  /** The set of all. */
  static final long ALL = -1;

  private PendingSignals() {}

  /** Its bit in a set, as {@code /proc/PID/status} has it. */
  static long bit(int signal) {
    return 1L << (signal - 1);
  }

  /** Whether all of a set can be carried over. */
  static boolean areCarried(long set) {
    return (set & NOT_CARRIED) == 0;
  }

  /**
   * Reads them; nobody traces the process.
   *
   * @param thread the set of those that wait for its first thread alone
   * @param whole of those that wait for the process
   * @throws Unstageable if others wait by then, or more is not known of one
   */
  static List<PendingSignal> read(int pid, long thread, long whole) throws IOException {
    ThreadRegisters.hold(pid);
    try {
      var signals = new ArrayList<PendingSignal>();
      add(signals, pid, false, thread);
      add(signals, pid, true, whole);
      return List.copyOf(signals);
    } finally {
      Ptrace.detach(pid);
    }
  }

  private static void add(List<PendingSignal> signals, int pid, boolean whole, long expected)
      throws IOException {
    long found = 0;
    for (byte[] info : Ptrace.pendingSignals(pid, whole)) {
      var signal = new PendingSignal(whole, info);
      if (signal.number() != Linux.SIGCHLD()) {
        signals.add(signal);
        found |= bit(signal.number());
      }
    }
    if (found != expected) {
      throw Unstageable.now("the signals that wait change");
    }
  }
}
