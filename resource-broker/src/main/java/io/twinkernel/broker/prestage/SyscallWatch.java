package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

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
  private static final int BUFFER = 1 << 16;

  /** A page, in bytes. */
  private static final int LONGEST_FILTER = 4096;

  private final Path instance;
  private final Fd pipe;
  private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER);
  private final List<HarmlessCalls.Call> known = new CopyOnWriteArrayList<>();
  private List<MemoryMap.Area> shared = List.of();
  private boolean forked;
  private Optional<String> found = Optional.empty();

  private SyscallWatch(Path instance, Fd pipe) {
    this.instance = instance;
    this.pipe = pipe;
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
      Fd pipe = Fd.open(instance + "/trace_pipe", Linux.O_RDONLY() | Linux.O_NONBLOCK());
      SysFiles.write(instance + ENABLE, "1");
      return new SyscallWatch(instance, pipe);
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
    var text = new StringBuilder();
    take(bytes -> text.append(new String(bytes, StandardCharsets.US_ASCII)));
    if (!text.isEmpty()) {
      String trace = text.toString();
      forked = forked || HarmlessCalls.forks(trace, known);
      if (found.isEmpty()) {
        found = HarmlessCalls.firstOther(trace, known, shared);
      }
    }
    return found;
  }

  /** Whether {@link #changed} has ever seen a call by which a process gets a child. */
  boolean forked() {
    return forked;
  }

  /** Calls that drop entries of shared memory are not harmless from here on. */
  void guard(List<MemoryMap.Area> areas) {
    shared = List.copyOf(areas);
  }

  /** A call that is made in the process's name is none of its own. */
  void passOver(HarmlessCalls.Call call) {
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
    take(bytes -> {});
    found = Optional.empty();
  }

  private void take(Consumer<byte[]> what) throws IOException {
    // Nothing there is the usual case, and no exception: to throw one takes longer than to look.
    int count = pipe.readNow(buffer).orElse(0);
    while (count > 0) {
      what.accept(buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE));
      count = pipe.readNow(buffer).orElse(0);
    }
  }

  @Override
  public void close() throws IOException {
    try (pipe) {
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
