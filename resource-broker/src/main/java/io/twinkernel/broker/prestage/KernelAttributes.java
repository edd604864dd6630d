package io.twinkernel.broker.prestage;

import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.broker.process.ThreadAttributes.RestartableSequences;
import io.twinkernel.broker.process.ThreadAttributes.Scheduling;
import io.twinkernel.broker.process.ThreadAttributes.SignalStack;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.ptrace_rseq_configuration;
import io.twinkernel.ffi.bindings.stack_t;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/** Asks the kernel, in the name of a thread that stands still, what it tells nobody else. */
final class KernelAttributes {
  private static final int WORD = Long.BYTES;

  /** A {@code struct itimerval}. */
  private static final int TIMER = 4 * Long.BYTES;

  private KernelAttributes() {}

  /**
   * What a thread of a process that runs has set; it stands still for that.
   *
   * @param instruction as for {@link Interruption#of}
   */
  static ThreadAttributes ask(int pid, int thread, long instruction) throws IOException {
    try (var standing = Interruption.of(thread, instruction)) {
      RemoteCall remote = standing.remote();
      // It would become one with a private area beside it, all of which would count as written to.
      long page = map(remote, Linux.MAP_SHARED());
      try {
        return read(pid, remote, page);
      } finally {
        unmap(remote, page);
      }
    }
  }

  /** A page of the process's memory, for answers. */
  static long map(RemoteCall remote) throws IOException {
    return map(remote, Linux.MAP_PRIVATE());
  }

  private static long map(RemoteCall remote, int sharing) throws IOException {
    return remote.call(
        "mmap",
        "a page",
        Linux.__NR_mmap(),
        0,
        PageScan.PAGE,
        Linux.PROT_READ() | Linux.PROT_WRITE(),
        sharing | Linux.MAP_ANONYMOUS(),
        -1,
        0);
  }

  /** Gives it back. */
  static long unmap(RemoteCall remote, long page) throws IOException {
    return remote.call("munmap", "a page", Linux.__NR_munmap(), page, PageScan.PAGE);
  }

  /**
   * What a thread has set.
   *
   * @param pid its process
   * @param page of the process's memory, for the answers
   */
  static ThreadAttributes read(int pid, RemoteCall remote, long page) throws IOException {
    int thread = remote.thread();
    long stack = page + 2 * WORD;
    remote.call("prctl", "", Linux.__NR_prctl(), Linux.PR_GET_TID_ADDRESS(), page);
    remote.call("prctl", "", Linux.__NR_prctl(), Linux.PR_GET_PDEATHSIG(), page + WORD);
    remote.call("sigaltstack", "", Linux.__NR_sigaltstack(), 0, stack);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment answer = answer(arena, pid, page, 2 * WORD + stack_t.layout().byteSize());
      MemorySegment own = answer.asSlice(2 * WORD);
      Processes.RobustList robust = Processes.robustList(thread);
      return new ThreadAttributes(
          thread,
          SysFiles.read("/proc/" + pid + "/task/" + thread + "/comm").stripTrailing(),
          answer.get(ValueLayout.JAVA_LONG, 0),
          new SignalStack(
              stack_t.ss_sp(own).address(), stack_t.ss_size(own), stack_t.ss_flags(own)),
          robust.head(),
          robust.length(),
          answer.get(ValueLayout.JAVA_INT, WORD),
          scheduling(pid, thread),
          restartable(arena, thread));
    }
  }

  private static Scheduling scheduling(int pid, int thread) throws IOException {
    String[] stat = ThreadStat.fields("/proc/" + pid + "/task/" + thread + "/stat");
    return new Scheduling(
        Integer.parseInt(stat[ThreadStat.NICE]),
        Integer.parseInt(stat[ThreadStat.POLICY]),
        Integer.parseInt(stat[ThreadStat.PRIORITY]));
  }

  private static Optional<RestartableSequences> restartable(Arena arena, int thread)
      throws IOException {
    MemorySegment area = RestartableSequence.configuration(arena, thread);
    long address = ptrace_rseq_configuration.rseq_abi_pointer(area);
    return address == 0
        ? Optional.empty()
        : Optional.of(
            new RestartableSequences(
                address,
                ptrace_rseq_configuration.rseq_abi_size(area),
                ptrace_rseq_configuration.signature(area)));
  }

  /** Whether orphans become children of the process; asked by any thread of it. */
  static boolean isSubreaper(RemoteCall remote, long page) throws IOException {
    remote.call("prctl", "", Linux.__NR_prctl(), Linux.PR_GET_CHILD_SUBREAPER(), page);
    try (Arena arena = Arena.ofConfined()) {
      return answer(arena, remote.thread(), page, Integer.BYTES).get(ValueLayout.JAVA_INT, 0) != 0;
    }
  }

  /**
   * @throws Unstageable if one of the process's interval timers runs, which a fork does not inherit
   */
  static void checkTimers(RemoteCall remote, long page) throws IOException {
    List<Integer> timers =
        List.of(Linux.ITIMER_REAL(), Linux.ITIMER_VIRTUAL(), Linux.ITIMER_PROF());
    for (int timer : timers) {
      remote.call("getitimer", "", Linux.__NR_getitimer(), timer, page + (long) timer * TIMER);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment times = answer(arena, remote.thread(), page, (long) timers.size() * TIMER);
      for (long at = 0; at < times.byteSize(); at += Long.BYTES) {
        if (times.get(ValueLayout.JAVA_LONG, at) != 0) {
          throw new Unstageable("it has an interval timer");
        }
      }
    }
  }

  private static MemorySegment answer(Arena arena, int pid, long page, long bytes)
      throws IOException {
    MemorySegment answer = arena.allocate(bytes, Long.BYTES);
    long read = RemoteMemory.read(pid, List.of(new Range(page, bytes)), answer);
    if (read != bytes) {
      throw new IOException("process " + pid + " has no page at 0x" + Long.toHexString(page));
    }
    return answer;
  }
}
