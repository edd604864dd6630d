package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.broker.process.Reaping;
import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RealTime;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A fork of a running process, for CRIU to dump in its place: the process stands still for some
 * calls only, however much memory it has and however long the dump takes.
 *
 * <p>The fork has the process's sockets open, too: one that the process closes meanwhile is closed
 * when the fork ends.
 *
 * <p>Of large areas of memory the fork has the addresses only: what is in them is sent from the
 * process itself, as what changes later is.
 *
 * <p>It never runs. Should nobody hold it any more before it is stopped, its first instruction
 * kills it: it has no stack.
 */
final class ForkSnapshot implements AutoCloseable {
  /** The fork's name; no longer than the kernel keeps. */
  private static final String NAME = "twin-fork";

  /** Where nothing is ever mapped. */
  private static final long NO_STACK = 8;

  /** To fork less than this takes no longer than to map it anew. */
  private static final long LARGE = 1 << 20;

  /** Flags of an area that mmap(2) and madvise(2) make as it was. */
  private static final Set<String> REMADE =
      Set.of("rd", "wr", "ex", "mr", "mw", "me", "ac", "sd", "nr", "hg", "nh", "dd");

  /** Flags that a fork does not inherit, or that keep the area from it. */
  private static final Set<String> NOT_INHERITED = Set.of("lo", "dc", "wf");

  /** Lines of {@code /proc/PID/status}. */
  private static final List<String> RIGHTS =
      List.of("Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp:");

  private final ForkedProcess forked;
  private final long longestStop;
  private final Optional<String> delay;

  private ForkSnapshot(ForkedProcess forked, long longestStop, Optional<String> delay) {
    this.forked = forked;
    this.longestStop = longestStop;
    this.delay = delay;
  }

  /** For how long a thread of the process stood still at most, in nanoseconds. */
  long longestStop() {
    return longestStop;
  }

  /** Why it may have stood still for longer than it must; empty if there is no reason. */
  Optional<String> delay() {
    return delay;
  }

  /** For CRIU. */
  ForkedProcess forked() {
    return forked;
  }

  /** The fork's number. */
  int pid() {
    return forked.fork();
  }

  /** Whether a process of that name is a fork that someone left behind. */
  static boolean is(String name) {
    return name.equals(NAME);
  }

  /**
   * Forks a process.
   *
   * @param threads all of them
   * @param own is told of calls in the process's name that are none of its own
   * @throws Unstageable why the fork would not be like it
   */
  static ForkSnapshot take(int pid, List<Integer> threads, Consumer<HarmlessCalls.Call> own)
      throws IOException {
    check(pid, threads);
    var large = new ArrayList<Large>();
    for (AreaUse use : AreaUse.read(pid)) {
      for (String flag : use.flags()) {
        if (NOT_INHERITED.contains(flag)) {
          throw new Unstageable("a fork does not inherit its memory " + use.area());
        }
      }
      if (use.residentBytes() >= LARGE && isRemade(use)) {
        large.add(new Large(use, use.area().toString()));
      }
    }
    long instruction = Vdso.systemCall(pid, MemoryMap.read(pid).areas());
    // A thread of its own: it is urgent for a while, and what it traces is let go of at its end.
    try (var tracer = new TracerThread()) {
      return tracer.call(() -> new Forking(pid, threads, large, own, instruction).runAtOnce());
    }
  }

  private static boolean isRemade(AreaUse use) {
    MemoryMap.Area area = use.area();
    return (area.name().isEmpty() || area.name().equals("[heap]"))
        && area.writable()
        && !area.shared()
        && REMADE.containsAll(use.flags());
  }

  private static void check(int pid, List<Integer> threads) throws IOException {
    String status = SysFiles.read("/proc/" + pid + "/status");
    for (int thread : threads) {
      String task = "/proc/" + pid + "/task/" + thread;
      if (!rights(SysFiles.read(task + "/status")).equals(rights(status))) {
        throw new Unstageable("thread " + thread + " may do other things than its first");
      }
      if (!SysFiles.read(task + "/children").isBlank()) {
        throw new Unstageable("it has children");
      }
    }
    if (!ThreadStat.fields("/proc/" + pid + "/stat")[ThreadStat.SESSION].equals("" + pid)) {
      throw new Unstageable("it leads no session");
    }
    if (!status.contains("\nPPid:\t1\n")) {
      throw new Unstageable("it is not a child of init");
    }
    if (!status.contains("\nSeccomp:\t0\n")) {
      throw new Unstageable("it has a seccomp filter");
    }
  }

  /** What a fork has from one thread, and other threads may have otherwise. */
  private static List<String> rights(String status) {
    return status
        .lines()
        .filter(line -> RIGHTS.stream().anyMatch(name -> line.startsWith(name)))
        .toList();
  }

  /** Ends the fork; the process notices nothing. */
  @Override
  public void close() throws IOException {
    end(pid());
  }

  /** Ends a fork, if it has not ended; its number is free as soon as init has seen to it. */
  static void end(int fork) throws IOException {
    var _ = Processes.killIfThere(fork, Linux.SIGKILL());
    Reaping.awaitDead(fork);
  }

  /**
   * An area that the fork has empty.
   *
   * @param label of its area: put in words before the process stands still, which the first time
   *     takes longer than all that it stands still for
   */
  private record Large(AreaUse use, String label) {
    MemoryMap.Area area() {
      return use.area();
    }
  }

  /** Calls in the name of a thread that stands still. */
  @FunctionalInterface
  private interface Calls<T> {
    T make(RemoteCall remote) throws IOException;
  }

  /** On the thread that traces. */
  private static final class Forking {
    private final int pid;
    private final List<Integer> threads;
    private final List<Large> large;
    private final Consumer<HarmlessCalls.Call> own;
    private final long instruction;
    private long longest;

    Forking(
        int pid,
        List<Integer> threads,
        List<Large> large,
        Consumer<HarmlessCalls.Call> own,
        long instruction) {
      this.pid = pid;
      this.threads = threads;
      this.large = large;
      this.own = own;
      this.instruction = instruction;
    }

    /**
     * Before all else that runs here, where that is allowed: the process waits for it, and is not
     * running itself.
     */
    ForkSnapshot runAtOnce() throws IOException {
      Optional<String> refused = refusal(() -> RealTime.begin(1));
      ForkedProcess forked;
      try {
        forked = run();
      } finally {
        // The thread traces on, and takes its turn.
        Optional<String> kept = refusal(RealTime::end);
        refused = refused.or(() -> kept);
      }
      return new ForkSnapshot(forked, longest, refused);
    }

    /** What the scheduler was asked for: without it all takes longer, and that is all. */
    @FunctionalInterface
    private interface Scheduling {
      void ask() throws SyscallException;
    }

    private static Optional<String> refusal(Scheduling scheduling) {
      try {
        scheduling.ask();
        return Optional.empty();
      } catch (SyscallException e) {
        return Optional.of(String.valueOf(e.getMessage()));
      }
    }

    private ForkedProcess run() throws IOException {
      long page = interrupt(pid, Forking::map);
      ForkedProcess forked;
      try {
        // One after the other, each for itself: what a thread changes of this after it was asked is
        // a call that is watched for.
        boolean subreaper = interrupt(pid, remote -> once(remote, page));
        var attributes = new ArrayList<ThreadAttributes>();
        attributes.add(interrupt(pid, remote -> KernelAttributes.read(pid, remote, page)));
        for (int thread : threads) {
          if (thread != pid) {
            attributes.add(interrupt(thread, remote -> KernelAttributes.read(pid, remote, page)));
          }
        }
        forked = forkAlone(subreaper, attributes);
      } finally {
        interrupt(pid, remote -> unmap(remote, page));
      }
      try {
        complete(new RemoteCall(forked.fork(), instruction), page);
      } catch (IOException | RuntimeException e) {
        // It is gone for good when this thread has ended, too, which traces it.
        var _ = Processes.killIfThere(forked.fork(), Linux.SIGKILL());
        throw e;
      }
      return forked;
    }

    /** Nobody else forks while areas are kept from forks. */
    private ForkedProcess forkAlone(boolean subreaper, List<ThreadAttributes> attributes)
        throws IOException {
      long from = System.nanoTime();
      var held = new ArrayList<Integer>();
      try {
        for (int thread : threads) {
          if (thread != pid) {
            Interruption.hold(thread);
            held.add(thread);
          }
        }
        return interrupt(pid, remote -> fork(remote, subreaper, attributes));
      } finally {
        for (int thread : held) {
          Ptrace.detach(thread);
        }
        longest = Math.max(longest, System.nanoTime() - from);
      }
    }

    private <T> T interrupt(int thread, Calls<T> calls) throws IOException {
      long from = System.nanoTime();
      try (var standing = Interruption.of(thread, instruction)) {
        return calls.make(standing.remote());
      } finally {
        longest = Math.max(longest, System.nanoTime() - from);
      }
    }

    private static long map(RemoteCall remote) throws IOException {
      return remote.call(
          "mmap",
          "a page",
          Linux.__NR_mmap(),
          0,
          PageScan.PAGE,
          Linux.PROT_READ() | Linux.PROT_WRITE(),
          Linux.MAP_PRIVATE() | Linux.MAP_ANONYMOUS(),
          -1,
          0);
    }

    private static long unmap(RemoteCall remote, long page) throws IOException {
      return remote.call("munmap", "a page", Linux.__NR_munmap(), page, PageScan.PAGE);
    }

    /** What is the whole process's. */
    private static boolean once(RemoteCall remote, long page) throws IOException {
      KernelAttributes.checkTimers(remote, page);
      return KernelAttributes.isSubreaper(remote, page);
    }

    /** By the first thread. */
    private ForkedProcess fork(
        RemoteCall remote, boolean subreaper, List<ThreadAttributes> attributes)
        throws IOException {
      String[] stat = ThreadStat.fields("/proc/" + pid + "/stat");
      return new ForkedProcess(
          fork(remote),
          pid,
          Integer.parseInt(stat[ThreadStat.GROUP]),
          Integer.parseInt(stat[ThreadStat.SESSION]),
          subreaper,
          attributes);
    }

    private int fork(RemoteCall remote) throws IOException {
      // As long as all stand still, nothing of that changes.
      List<MemoryMap.Area> areas = MemoryMap.read(pid).areas();
      if (!large.stream().allMatch(one -> areas.contains(one.area()))) {
        throw new Unstageable("its memory is being laid out anew");
      }
      if (!SourceProcess.threads(pid).equals(threads)) {
        throw new Unstageable("its threads come and go");
      }
      try {
        for (Large one : large) {
          inherit(remote, one, Linux.MADV_DONTFORK());
        }
        return (int)
            remote.call(
                "clone",
                "process " + pid,
                Linux.__NR_clone(),
                Linux.CLONE_PARENT() | Linux.CLONE_PTRACE(),
                NO_STACK,
                0);
      } finally {
        doFork(remote);
      }
    }

    /** All of them, even if one fails: the process's own forks are to have them. */
    private void doFork(RemoteCall remote) throws IOException {
      IOException failure = null;
      for (Large one : large) {
        try {
          inherit(remote, one, Linux.MADV_DOFORK());
        } catch (IOException e) {
          failure = e;
        }
      }
      if (failure != null) {
        throw failure;
      }
    }

    private void inherit(RemoteCall remote, Large one, int advice) throws IOException {
      long start = one.area().start();
      long bytes = one.area().end() - start;
      own.accept(new HarmlessCalls.Call(Linux.__NR_madvise(), start, bytes, advice));
      remote.call("madvise", one.label(), Linux.__NR_madvise(), start, bytes, advice);
    }

    /** The fork has the areas that it did not inherit, its name, and stops. */
    private void complete(RemoteCall fork, long page) throws IOException {
      int number = fork.thread();
      if (!Ptrace.await(number).stopped()) {
        throw new IOException("fork " + number + " of process " + pid + " has ended");
      }
      name(fork, page);
      for (Large one : large) {
        map(fork, one.use());
      }
      // Before it could do anything.
      Processes.kill(number, Linux.SIGSTOP());
      Ptrace.detach(number);
      Canary.awaitStopped(number);
    }

    private static void name(RemoteCall fork, long page) throws IOException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment name = arena.allocateFrom(NAME, US_ASCII);
        RemoteMemory.write(fork.thread(), List.of(new Range(page, name.byteSize())), name);
      }
      fork.call("prctl", "PR_SET_NAME", Linux.__NR_prctl(), Linux.PR_SET_NAME(), page);
      unmap(fork, page);
    }

    private static void map(RemoteCall fork, AreaUse use) throws IOException {
      MemoryMap.Area area = use.area();
      long bytes = area.end() - area.start();
      fork.call(
          "mmap",
          area.toString(),
          Linux.__NR_mmap(),
          area.start(),
          bytes,
          (use.flags().contains("rd") ? Linux.PROT_READ() : 0)
              | Linux.PROT_WRITE()
              | (use.flags().contains("ex") ? Linux.PROT_EXEC() : 0),
          Linux.MAP_PRIVATE()
              | Linux.MAP_ANONYMOUS()
              | Linux.MAP_FIXED_NOREPLACE()
              | (use.flags().contains("nr") ? Linux.MAP_NORESERVE() : 0),
          -1,
          0);
      advise(fork, use, "hg", Linux.MADV_HUGEPAGE());
      advise(fork, use, "nh", Linux.MADV_NOHUGEPAGE());
      advise(fork, use, "dd", Linux.MADV_DONTDUMP());
    }

    private static void advise(RemoteCall fork, AreaUse use, String flag, int advice)
        throws IOException {
      if (use.flags().contains(flag)) {
        MemoryMap.Area area = use.area();
        long bytes = area.end() - area.start();
        fork.call("madvise", "" + area, Linux.__NR_madvise(), area.start(), bytes, advice);
      }
    }
  }
}
