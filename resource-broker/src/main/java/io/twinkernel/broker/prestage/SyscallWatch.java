package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Notices system calls that change what cannot be seen from outside a process, such as a signal
 * handler: by the tracepoint {@code raw_syscalls:sys_enter}, in an instance of tracefs of its own
 * (Documentation/trace/events.rst). Of threads that come while it runs {@code
 * sched:sched_process_fork} tells. The kernel drops what {@link HarmlessCalls} lists before it is
 * recorded.
 *
 * <p>The kernel patches its text for every tracepoint that is switched on. Those by which tracefs
 * follows threads by itself ({@code set_event_pid}) and learns their names stay off: they are on
 * the way of all processes, at each switch from one to another.
 */
final class SyscallWatch implements OwnCalls, AutoCloseable {
  static final Path TRACING = Path.of("/sys/kernel/tracing");

  private static final String CALLS = "/events/raw_syscalls/sys_enter";
  private static final String BIRTHS = "/events/sched/sched_process_fork";
  private static final String ENABLE = "/enable";

  /** Of all events. */
  private static final String ALL = "/events" + ENABLE;

  /** A page, in bytes. */
  private static final int LONGEST_FILTER = 4096;

  private final Path instance;
  private final SyscallTrace trace;
  private final Lineage lineage;
  private final int youngest;

  /** Threads of which all calls that are not harmless are recorded. */
  private final Set<Integer> threads;

  private final List<SystemCall> known = new CopyOnWriteArrayList<>();
  private final Set<Integer> made = new ConcurrentSkipListSet<>();
  private final Set<Integer> touched = new ConcurrentSkipListSet<>();

  /** Of threads that nothing was known of: their births may be told of on another CPU. */
  private List<SystemCall> unplaced = List.of();

  private List<MemoryMap.Area> shared = List.of();
  private final Set<Integer> set = new ConcurrentSkipListSet<>();

  /** That is to be written before those go on that have come; empty if none is. */
  private volatile String filter = "";

  private volatile boolean others;
  private boolean forked;
  private boolean timed;
  private boolean mapped = true;
  private Optional<String> found = Optional.empty();

  private SyscallWatch(
      Path instance,
      SyscallTrace trace,
      Lineage lineage,
      int youngest,
      Collection<Integer> threads) {
    this.instance = instance;
    this.trace = trace;
    this.lineage = lineage;
    this.youngest = youngest;
    this.threads = new ConcurrentSkipListSet<>(threads);
  }

  /** Whether tracefs is there. */
  static boolean possible() {
    return Files.isDirectory(TRACING.resolve("instances"));
  }

  /**
   * Begins to watch a process. No thread of it comes about unnoticed.
   *
   * @param threads all that it has
   * @param youngest number of a thread or process, of whichever there was, before they were asked
   *     for
   */
  static SyscallWatch start(int pid, Collection<Integer> threads, int youngest) throws IOException {
    String name = name(pid);
    Path instances = TRACING.resolve("instances");
    Path instance = instances.resolve(name);
    if (!possible()) {
      throw new Unstageable(TRACING + " is not mounted, or this kernel has no tracepoints");
    }
    end(pid);
    Files.createDirectory(instance);
    try {
      SysFiles.write(instance + "/trace_options", "norecord-cmd");
      write(instance, filter(threads, youngest));
      SyscallTrace trace = SyscallTrace.open(instance);
      try {
        SysFiles.write(instance + BIRTHS + ENABLE, "1");
        SysFiles.write(instance + CALLS + ENABLE, "1");
        var lineage = new Lineage(pid, threads, Lineage::group);
        return new SyscallWatch(instance, trace, lineage, youngest, threads);
      } catch (IOException e) {
        trace.close();
        throw e;
      }
    } catch (IOException e) {
      SysFiles.write(instance + ALL, "0");
      Files.delete(instance);
      throw e;
    }
  }

  private static String filter(Collection<Integer> threads, int youngest) throws Unstageable {
    String filter = HarmlessCalls.filter(threads, youngest);
    if (filter.length() >= LONGEST_FILTER) {
      throw new Unstageable(threads.size() + " threads are more than can be watched");
    }
    return filter;
  }

  private static void write(Path instance, String filter) throws IOException {
    SysFiles.write(instance + CALLS + "/filter", filter);
  }

  private static String name(int pid) {
    return "twin-" + pid;
  }

  /**
   * Some threads have come; what they called before is known as far as it cannot be seen. {@link
   * #recordAdded} is next, before they go on.
   *
   * @throws Unstageable if they cannot be told from older ones, or are too many
   */
  void add(Collection<Integer> come) throws IOException {
    for (int thread : come) {
      if (thread <= youngest) {
        throw new Unstageable("thread " + thread + " has come, and numbers begin anew");
      }
    }
    if (!come.isEmpty()) {
      threads.removeIf(SyscallWatch::isGone);
      threads.addAll(come);
      lineage.add(come);
      filter = filter(threads, youngest);
    }
  }

  /**
   * All that they call is recorded from here on. It need not be while they are stopped, and takes
   * the kernel a while.
   */
  void recordAdded() throws IOException {
    String other = filter;
    if (!other.isEmpty()) {
      write(instance, other);
      filter = "";
    }
  }

  private static boolean isGone(int thread) {
    return !Files.exists(Path.of("/proc/" + thread));
  }

  /**
   * The first call that changed more than is looked at anyway; empty if there was none. All that is
   * recorded is taken.
   */
  Optional<String> changed() throws IOException {
    Traced traced = Traced.none();
    if (trace.take(traced) && found.isEmpty()) {
      found = Optional.of("more system calls than the trace's buffers hold");
    }
    List<Birth> births = lineage.born(traced.births());
    var open = new ArrayList<SystemCall>();
    for (SystemCall call : traced.calls()) {
      note(call);
      if (lineage.isOwn(call.caller())) {
        look(call);
      } else {
        open.add(call);
      }
    }
    if (!births.isEmpty() || !open.isEmpty() || !unplaced.isEmpty()) {
      place(births, open);
    }
    return found;
  }

  /** Whatever calls it. */
  private void note(SystemCall call) {
    if (HarmlessCalls.begins(call)) {
      lineage.begins(call.caller());
    }
    if (HarmlessCalls.executes(call)) {
      lineage.executes(call.caller());
    }
  }

  private void place(List<Birth> births, List<SystemCall> calls) throws IOException {
    for (Birth birth : births) {
      if (!isMade(birth) && lineage.kin(birth.parent()) == Lineage.Kin.OWN) {
        others = true;
        forked |= !lineage.isThere(birth.child());
        // It may have mapped something, which is not recorded of one that is not known.
        mapped |= lineage.kin(birth.child()) == Lineage.Kin.OWN;
      }
    }
    lookAtStrangers(calls);
  }

  /** Whether it is one that was made in the process's name, whose calls are none of its own. */
  private boolean isMade(Birth birth) {
    boolean is = made.remove(birth.child());
    if (is) {
      lineage.addOther(birth.child());
    }
    return is;
  }

  private void lookAtStrangers(List<SystemCall> calls) throws IOException {
    var strange = new ArrayList<SystemCall>();
    for (SystemCall call : unplaced) {
      if (lineage.kin(call.caller()) == Lineage.Kin.OWN) {
        look(call);
      }
    }
    for (SystemCall call : calls) {
      switch (lineage.kin(call.caller())) {
        case OWN -> look(call);
        case OTHER -> {
          // What it is itself is not the process's.
        }
        case STRANGER -> strange.add(call);
      }
    }
    unplaced = List.copyOf(strange);
  }

  private void look(SystemCall call) {
    if (HarmlessCalls.set(call)) {
      set.add((int) call.first());
    }
    timed |= HarmlessCalls.timer(call);
    mapped |= HarmlessCalls.map(call);
    others |= HarmlessCalls.ends(call);
    Optional<Integer> thread = HarmlessCalls.ofThread(call);
    if (thread.isPresent()) {
      touched.add(thread.get());
    } else if (found.isEmpty() && !HarmlessCalls.are(call, shared) && !isKnown(call)) {
      found = Optional.of(call.toString());
    }
  }

  private boolean isKnown(SystemCall call) {
    for (SystemCall one : known) {
      if (one.isLike(call)) {
        return true;
      }
    }
    return false;
  }

  /** Threads of which {@link #changed} has seen set what they are asked for. */
  Set<Integer> touched() {
    return Set.copyOf(touched);
  }

  /**
   * Whether {@link #changed} has seen threads come or go; which there are is about to be looked at,
   * and what some have set to be asked for, after {@link #passOverThreads}.
   */
  boolean hasOtherThreads() {
    return others;
  }

  void passOverThreads(Set<Integer> threads) {
    others = false;
    touched.removeAll(threads);
  }

  /** They could not be asked. */
  void suspect(Set<Integer> threads) {
    others = true;
    touched.addAll(threads);
  }

  /** Whether {@link #changed} has seen the process get a child, or perhaps a thread that ended. */
  boolean forked() {
    return forked;
  }

  /** What has become of that is known. */
  void passOverForks() {
    forked = false;
  }

  /** Whether its memory may be laid out otherwise, by what it called. */
  boolean mapped() {
    return mapped;
  }

  /** How it is laid out is known. */
  void passOverMaps() {
    mapped = false;
  }

  /** Likewise of one by which it sets an interval timer. */
  boolean timed() {
    return timed;
  }

  /** Descriptors whose options or flags {@link #changed} has seen set. */
  Set<Integer> set() {
    return Set.copyOf(set);
  }

  /** What they are now is known. */
  void passOver(Set<Integer> descriptors) {
    set.removeAll(descriptors);
  }

  /** Calls that drop entries of shared memory are not harmless from here on. */
  void guard(List<MemoryMap.Area> areas) {
    shared = List.copyOf(areas);
  }

  @Override
  public void call(SystemCall call) {
    known.add(call);
  }

  @Override
  public void child(int number) {
    made.add(number);
  }

  /** Notices nothing until {@link #resume}. */
  void pause() throws IOException {
    SysFiles.write(instance + "/tracing_on", "0");
  }

  void resume() throws IOException {
    SysFiles.write(instance + "/tracing_on", "1");
  }

  /** Passes over all calls until now. */
  void forget() throws IOException {
    Traced traced = Traced.none();
    var _ = trace.take(traced);
    for (Birth birth : lineage.born(traced.births())) {
      var _ = isMade(birth);
    }
    unplaced = List.of();
    touched.clear();
    set.clear();
    found = Optional.empty();
  }

  @Override
  public void close() throws IOException {
    try (trace) {
      SysFiles.write(instance + ALL, "0");
    }
    Files.delete(instance);
  }

  /** Ends a watch that a program which has died left behind, if there is one. */
  static void end(int pid) throws IOException {
    Path instance = TRACING.resolve("instances").resolve(name(pid));
    if (Files.isDirectory(instance)) {
      SysFiles.write(instance + ALL, "0");
      Files.delete(instance);
    }
  }
}
