package io.twinkernel.broker.prestage;

import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.Reaping;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A fork of a running process, for CRIU to dump in its place: the process stands still for some
 * calls only, however much memory it has and however long the dump takes.
 *
 * <p>The fork has pipes and sockets of the process open, too, but for its connections: what of them
 * the process closes meanwhile is closed when the fork ends.
 *
 * <p>Of large areas of memory the fork has the addresses only: what is in them is sent from the
 * process itself, as what changes later is.
 *
 * <p>It never runs. Should nobody hold it any more before it is stopped, its first instruction
 * kills it: it has no stack.
 */
final class ForkSnapshot implements AutoCloseable {
  /** The fork's name; no longer than the kernel keeps. */
  static final String NAME = "twin-fork";

  private static final int INIT = 1;

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

  ForkSnapshot(ForkedProcess forked, long longestStop, Optional<String> delay) {
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
   * @param threads all of them, of which some may have ended by now, and others come
   * @param family the processes that move with it, itself among them
   * @param own is told of what is done in the process's name
   * @param timersKnown whether its interval timers are followed, which the fork does not have
   * @throws Unstageable why the fork would not be like it
   */
  static ForkSnapshot take(
      int pid, List<Integer> threads, Set<Integer> family, OwnCalls own, boolean timersKnown)
      throws IOException {
    int parent = check(pid, threads, family);
    var large = new ArrayList<Forking.Large>();
    for (AreaUse use : AreaUse.read(pid)) {
      for (String flag : use.flags()) {
        if (NOT_INHERITED.contains(flag)) {
          throw new Unstageable("a fork does not inherit its memory " + use.area());
        }
      }
      if (use.residentBytes() >= LARGE && isRemade(use)) {
        large.add(new Forking.Large(use, use.area().toString()));
      }
    }
    long instruction = Vdso.systemCall(pid, MemoryMap.read(pid).areas());
    // A thread of its own: it is urgent for a while, and what it traces is let go of at its end.
    try (var tracer = new TracerThread()) {
      return tracer.call(
          () ->
              new Forking(pid, parent, threads, large, own, timersKnown, instruction).runAtOnce());
    }
  }

  private static boolean isRemade(AreaUse use) {
    MemoryMap.Area area = use.area();
    return (area.name().isEmpty() || area.name().equals("[heap]"))
        && area.writable()
        && !area.shared()
        && REMADE.containsAll(use.flags());
  }

  /** Returns its parent, if that is of the family, else 0. */
  private static int check(int pid, List<Integer> threads, Set<Integer> family) throws IOException {
    String status = SysFiles.read("/proc/" + pid + "/status");
    for (int thread : threads) {
      requireRights(pid, thread, status);
    }
    for (int child : SourceProcess.children(pid, threads)) {
      if (!family.contains(child)) {
        throw Unstageable.now("its child " + child + " does not move with it, or has ended");
      }
    }
    int session = Integer.parseInt(ThreadStat.fields("/proc/" + pid + "/stat")[ThreadStat.SESSION]);
    if (!family.contains(session)) {
      throw new Unstageable("process " + session + ", which leads its session, is none of them");
    }
    if (!status.contains("\nSeccomp:\t0\n")) {
      throw new Unstageable("it has a seccomp filter");
    }
    int parent = ProcessTree.read(pid).parent();
    if (family.contains(parent)) {
      return parent;
    }
    if (parent != INIT) {
      throw new Unstageable("it is not a child of init");
    }
    return 0;
  }

  /**
   * @throws Unstageable if a thread may do other things than the first one of its process, from
   *     which its copy has what it may do
   */
  static void requireRights(int pid, int thread) throws IOException {
    requireRights(pid, thread, SysFiles.read("/proc/" + pid + "/status"));
  }

  private static void requireRights(int pid, int thread, String first) throws IOException {
    Optional<String> own = SysFiles.readIfThere("/proc/" + pid + "/task/" + thread + "/status");
    if (own.isPresent() && !rights(own.get()).equals(rights(first))) {
      throw new Unstageable("thread " + thread + " may do other things than its first");
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
}
