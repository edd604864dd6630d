package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.twinkernel.broker.process.ForkedProcess;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RealTime;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Makes a fork of a process that runs, by calls in the name of its threads, which stand still for
 * them. On the thread that traces.
 */
final class Forking {
  private static final int INIT = 1;

  /** Where nothing is ever mapped. */
  private static final long NO_STACK = 8;

  /**
   * An area that the fork has empty.
   *
   * @param label of its area: put in words before the process stands still, which the first time
   *     takes longer than all that it stands still for
   */
  record Large(AreaUse use, String label) {
    MemoryMap.Area area() {
      return use.area();
    }
  }

  /** Calls in the name of a thread that stands still. */
  @FunctionalInterface
  private interface Calls<T> {
    T make(RemoteCall remote) throws IOException;
  }

  private final int pid;
  private final int parent;

  /** Those that it had when they were looked at last. */
  private List<Integer> threads;

  /** What they have told the kernel, those that have ended since among them. */
  private final Map<Integer, ThreadAttributes> attributes = new TreeMap<>();

  private final List<Large> large;
  private final OwnCalls own;
  private final boolean timersKnown;
  private final long instruction;
  private long longest;

  /**
   * @param own is told of what is done in the process's name
   * @param timersKnown whether its interval timers need not be asked for
   * @param instruction where its memory has a system call
   */
  Forking(
      int pid,
      int parent,
      List<Integer> threads,
      List<Large> large,
      OwnCalls own,
      boolean timersKnown,
      long instruction) {
    this.pid = pid;
    this.parent = parent;
    this.threads = threads;
    this.large = large;
    this.own = own;
    this.timersKnown = timersKnown;
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
    long page = interrupt(pid, KernelAttributes::map);
    ForkedProcess forked;
    try {
      // One after the other, each for itself: what a thread changes of this after it was asked is
      // a call that is watched for.
      boolean subreaper = interrupt(pid, remote -> once(remote, page));
      for (int thread : threads) {
        ask(thread, page);
      }
      forked = forkAlone(subreaper, page);
    } finally {
      interrupt(pid, remote -> KernelAttributes.unmap(remote, page));
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

  private void ask(int thread, long page) throws IOException {
    try {
      ThreadAttributes told = interrupt(thread, remote -> KernelAttributes.read(pid, remote, page));
      attributes.put(thread, told);
    } catch (IOException e) {
      if (thread == pid || !hasEnded(thread)) {
        throw e;
      }
    }
  }

  private boolean hasEnded(int thread) {
    return !Files.exists(Path.of("/proc/" + pid + "/task/" + thread));
  }

  /** Nobody else forks while areas are kept from forks. */
  private ForkedProcess forkAlone(boolean subreaper, long page) throws IOException {
    long from = System.nanoTime();
    var held = new ArrayList<Integer>();
    try {
      holdOthers(held, page);
      return interrupt(
          pid,
          remote -> {
            // It may have begun another one before it stood still.
            holdOthers(held, page);
            return fork(remote, subreaper);
          });
    } finally {
      for (int thread : held) {
        Ptrace.detach(thread);
      }
      longest = Math.max(longest, System.nanoTime() - from);
    }
  }

  /**
   * All threads but the first stand still then; those that have come since are asked.
   *
   * @param held those that do; receives the others
   */
  private void holdOthers(List<Integer> held, long page) throws IOException {
    boolean more = true;
    while (more) {
      threads = SourceProcess.threads(pid);
      more = false;
      for (int thread : threads) {
        if (thread != pid && !held.contains(thread)) {
          more = true;
          if (!attributes.containsKey(thread)) {
            ask(thread, page);
          }
          hold(thread, held);
        }
      }
    }
  }

  private void hold(int thread, List<Integer> held) throws IOException {
    try {
      Interruption.hold(thread);
      held.add(thread);
    } catch (IOException e) {
      if (!hasEnded(thread)) {
        throw e;
      }
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

  /** What is the whole process's. */
  private boolean once(RemoteCall remote, long page) throws IOException {
    if (!timersKnown) {
      KernelAttributes.checkTimers(remote, page);
    }
    return KernelAttributes.isSubreaper(remote, page);
  }

  /** By the first thread. */
  private ForkedProcess fork(RemoteCall remote, boolean subreaper) throws IOException {
    String[] stat = ThreadStat.fields("/proc/" + pid + "/stat");
    var told = new ArrayList<ThreadAttributes>();
    told.add(Objects.requireNonNull(attributes.get(pid)));
    for (int thread : threads) {
      if (thread != pid) {
        told.add(Objects.requireNonNull(attributes.get(thread)));
      }
    }
    return new ForkedProcess(
        fork(remote),
        pid,
        parent,
        Integer.parseInt(stat[ThreadStat.GROUP]),
        Integer.parseInt(stat[ThreadStat.SESSION]),
        subreaper,
        told);
  }

  private int fork(RemoteCall remote) throws IOException {
    // As long as all stand still, nothing of that changes.
    List<MemoryMap.Area> areas = MemoryMap.read(pid).areas();
    if (!large.stream().allMatch(one -> areas.contains(one.area()))) {
      throw Unstageable.now("its memory is being laid out anew");
    }
    if (!SourceProcess.threads(pid).equals(threads)) {
      throw Unstageable.now("its threads come and go");
    }
    try {
      for (Large one : large) {
        inherit(remote, one, Linux.MADV_DONTFORK());
      }
      return parent == 0 ? clone(remote, Linux.CLONE_PARENT()) : orphan(remote);
    } finally {
      doFork(remote);
    }
  }

  /**
   * Of a process whose parent is none that sees to every child, as init does: of another that ends
   * at once, in between, whose orphan becomes init's.
   */
  private int orphan(RemoteCall remote) throws IOException {
    int between = clone(remote, Linux.CLONE_VM() | Linux.CLONE_FILES() | Linux.CLONE_FS());
    try {
      awaitStopped(between);
      return clone(new RemoteCall(between, instruction), 0);
    } finally {
      var _ = Processes.killIfThere(between, Linux.SIGKILL());
      awaitEnded(between);
      remote.call("wait4", "process " + between, Linux.__NR_wait4(), between, 0, Linux.__WALL(), 0);
    }
  }

  /** It is traced from its first instruction on, and its end is no signal to its parent. */
  private int clone(RemoteCall remote, int flags) throws IOException {
    int all = flags | Linux.CLONE_PTRACE();
    own.call(new SystemCall(remote.thread(), Linux.__NR_clone(), all, NO_STACK, 0, 0));
    int child = (int) remote.call("clone", "process " + pid, Linux.__NR_clone(), all, NO_STACK, 0);
    own.child(child);
    return child;
  }

  private static void awaitStopped(int number) throws IOException {
    if (!Ptrace.await(number).stopped()) {
      throw Unstageable.now("process " + number + ", a fork, has ended");
    }
  }

  private static void awaitEnded(int number) throws IOException {
    while (Ptrace.await(number).stopped()) {
      // That was on its way before the end.
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
    own.call(new SystemCall(remote.thread(), Linux.__NR_madvise(), start, bytes, advice, 0));
    remote.call("madvise", one.label(), Linux.__NR_madvise(), start, bytes, advice);
  }

  /** The fork has the areas that it did not inherit, its name, and stops. */
  private void complete(RemoteCall fork, long page) throws IOException {
    int number = fork.thread();
    awaitStopped(number);
    if (ProcessTree.read(number).parent() != INIT) {
      throw new Unstageable("init does not get the orphans of it");
    }
    ForkDescriptors.clear(fork);
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
      MemorySegment name = arena.allocateFrom(ForkSnapshot.NAME, US_ASCII);
      RemoteMemory.write(fork.thread(), List.of(new Range(page, name.byteSize())), name);
    }
    fork.call("prctl", "PR_SET_NAME", Linux.__NR_prctl(), Linux.PR_SET_NAME(), page);
    KernelAttributes.unmap(fork, page);
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
