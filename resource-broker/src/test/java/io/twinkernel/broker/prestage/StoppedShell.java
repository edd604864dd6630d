package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.RemoteMemory;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** A shell that is stopped, and makes the calls that it is told to make. */
final class StoppedShell implements AutoCloseable {
  private final Process parent;
  private final int pid;
  private final Fd memory;
  private final TraceeCalls calls;

  private StoppedShell(Process parent, int pid, Fd memory, TraceeCalls calls) {
    this.parent = parent;
    this.pid = pid;
    this.memory = memory;
    this.calls = calls;
  }

  /** It has nothing open. */
  static StoppedShell start() throws IOException {
    // Not a child of this program: the JVM waits for its children, and would be told of their
    // stops.
    String work = "setsid /bin/sh -c 'kill -STOP \"$$\"' <&- >&- 2>&- & echo \"$!\"";
    Process parent = new ProcessBuilder("/bin/sh", "-c", work).start();
    int pid = Integer.parseInt(parent.inputReader().readLine());
    Canary.awaitStopped(pid);
    Fd memory = Fd.open("/proc/" + pid + "/mem", Linux.O_RDWR());
    return new StoppedShell(parent, pid, memory, new TraceeCalls(pid, memory));
  }

  int pid() {
    return pid;
  }

  /** Its calls, while it is held. */
  RemoteCall remote() {
    return calls.remote();
  }

  /** One that takes nothing from memory. */
  long call(int number, long... arguments) throws IOException {
    ThreadRegisters.hold(pid);
    try {
      return calls.call("call " + number, "a shell", number, arguments);
    } finally {
      Ptrace.detach(pid);
    }
  }

  /**
   * One that takes something from memory.
   *
   * @param given where the place of what it takes is to be, among the arguments
   */
  void callWith(byte[] bytes, int given, int number, long... arguments) throws IOException {
    ThreadRegisters.hold(pid);
    try {
      byte[] before = calls.save();
      try {
        arguments[given] = calls.put(bytes);
        calls.call("call " + number, "a shell", number, arguments);
      } finally {
        calls.restore(before);
      }
    } finally {
      Ptrace.detach(pid);
    }
  }

  /** What is in its memory. */
  byte[] read(long address, int bytes) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(bytes);
      RemoteMemory.read(pid, List.of(new RemoteMemory.Range(address, bytes)), buffer);
      return buffer.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** What it has open. */
  List<Integer> descriptors() throws IOException {
    return Descriptors.numbers(pid);
  }

  /** The same open file here. */
  Fd descriptor(int number) throws IOException {
    try (Fd process = Processes.open(pid)) {
      return Processes.descriptor(process, number);
    }
  }

  @Override
  public void close() throws IOException {
    memory.close();
    var _ = Processes.killIfThere(pid, Linux.SIGKILL());
    parent.destroyForcibly();
  }
}
