package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What the twin module tells of the threads of a stopped process, all at once. A tracer has each
 * thread run twice for its registers, and /proc puts in words what signals wait.
 */
final class ModuleThreads {
  private final TwinDevice module;
  private final int pid;
  private final List<Integer> threads;
  private TwinDevice.StoppedThreads seen = new TwinDevice.StoppedThreads(List.of(), 0);

  ModuleThreads(TwinDevice module, int pid, List<Integer> threads) {
    this.module = module;
    this.pid = pid;
    this.threads = threads;
  }

  /**
   * Reads them.
   *
   * @return false if it has other threads now
   * @throws Unstageable if one runs
   */
  boolean read() throws IOException {
    try {
      seen = module.threads(pid, threads);
      return true;
    } catch (SyscallException e) {
      seen = new TwinDevice.StoppedThreads(List.of(), 0);
      if (e.errno().equals(Errno.ESRCH)) {
        return false;
      }
      if (e.errno().equals(Errno.EAGAIN)) {
        throw Unstageable.now("a thread of process " + pid + " goes on");
      }
      throw e;
    }
  }

  /** Signals that wait for one alone, as {@link #read} has seen it. */
  long pending(int thread) {
    return seen.threads().get(threads.indexOf(thread)).pending();
  }

  /** Signals that wait for the process. */
  long pending() {
    return seen.pending();
  }

  /**
   * The registers that {@link #read} has read.
   *
   * @throws IOException if it has read none
   */
  List<ThreadState> registers() throws IOException {
    if (seen.threads().isEmpty()) {
      throw new IOException("process " + pid + " has not the threads " + threads);
    }
    var states = new ArrayList<ThreadState>(threads.size());
    for (int i = 0; i < threads.size(); i++) {
      TwinDevice.StoppedThread one = seen.threads().get(i);
      byte[] general = ThreadState.leaveSystemCall(one.general().clone());
      states.add(new ThreadState(threads.get(i), general, one.extended(), one.blocked()));
    }
    return List.copyOf(states);
  }
}
