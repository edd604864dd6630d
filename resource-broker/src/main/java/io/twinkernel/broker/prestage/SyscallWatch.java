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
 * (Documentation/trace/events.rst). The kernel drops what {@link HarmlessCalls} lists before it is
 * recorded.
 *
 * <p>The kernel patches its text for every tracepoint that is switched on. Those of the scheduler,
 * which tracefs uses to follow threads ({@code set_event_pid}) and to learn their names, stay off:
 * they are on the way of all processes.
 */
final class SyscallWatch implements AutoCloseable {
  static final Path TRACING = Path.of("/sys/kernel/tracing");

  private static final String ENABLE = "/events/raw_syscalls/sys_enter/enable";

  /** A page, in bytes. */
  private static final int LONGEST_FILTER = 4096;

  private final Path instance;
  private final SyscallTrace trace;
  private final List<SystemCall> known = new CopyOnWriteArrayList<>();
  private List<MemoryMap.Area> shared = List.of();
  private final Set<Integer> set = new ConcurrentSkipListSet<>();
  private boolean forked;
  private boolean timed;
  private boolean mapped = true;
  private Optional<String> found = Optional.empty();

  private SyscallWatch(Path instance, SyscallTrace trace) {
    this.instance = instance;
    this.trace = trace;
  }

  /** Whether tracefs is there. */
  static boolean possible() {
    return Files.isDirectory(TRACING.resolve("instances"));
  }

  /**
   * Begins to watch threads. No other that shares their signal handlers comes about unnoticed.
   *
   * @param name of the instance; one that is left from before is replaced
   */
  static SyscallWatch start(String name, Collection<Integer> threads) throws IOException {
    Path instances = TRACING.resolve("instances");
    Path instance = instances.resolve(name);
    if (!possible()) {
      throw new Unstageable(TRACING + " is not mounted, or this kernel has no tracepoints");
    }
    end(name);
    Files.createDirectory(instance);
    try {
      SysFiles.write(instance + "/trace_options", "norecord-cmd");
      String filter = HarmlessCalls.filter(threads);
      if (filter.length() >= LONGEST_FILTER) {
        throw new Unstageable(threads.size() + " threads are more than can be watched");
      }
      SysFiles.write(instance + "/events/raw_syscalls/sys_enter/filter", filter);
      SyscallTrace trace = SyscallTrace.open(instance);
      try {
        SysFiles.write(instance + ENABLE, "1");
        return new SyscallWatch(instance, trace);
      } catch (IOException e) {
        trace.close();
        throw e;
      }
    } catch (IOException e) {
      Files.delete(instance);
      throw e;
    }
  }

  /**
   * The first call that changed more than is looked at anyway; empty if there was none. All that is
   * recorded is taken.
   */
  Optional<String> changed() throws IOException {
    var calls = new ArrayList<SystemCall>();
    if (trace.take(calls) && found.isEmpty()) {
      found = Optional.of("more system calls than the trace's buffers hold");
    }
    for (SystemCall call : calls) {
      look(call);
    }
    return found;
  }

  private void look(SystemCall call) {
    if (HarmlessCalls.set(call)) {
      set.add((int) call.first());
    }
    timed |= HarmlessCalls.timer(call);
    mapped |= HarmlessCalls.map(call);
    boolean fork = HarmlessCalls.fork(call);
    boolean other = found.isEmpty() && !HarmlessCalls.are(call, shared);
    if ((fork || other) && !isKnown(call)) {
      forked |= fork;
      if (other) {
        found = Optional.of(call.toString());
      }
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

  /** Whether {@link #changed} has seen a call by which a process gets a child. */
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

  /** A call that is made in the process's name is none of its own. */
  void passOver(SystemCall call) {
    known.add(call);
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
    var _ = trace.take(new ArrayList<>());
    set.clear();
    found = Optional.empty();
  }

  @Override
  public void close() throws IOException {
    try (trace) {
      SysFiles.write(instance + ENABLE, "0");
    }
    Files.delete(instance);
  }

  /** Ends a watch that a program which has died left behind, if there is one. */
  static void end(String name) throws IOException {
    Path instance = TRACING.resolve("instances").resolve(name);
    if (Files.isDirectory(instance)) {
      SysFiles.write(instance + ENABLE, "0");
      Files.delete(instance);
    }
  }
}
