package io.twinkernel.broker.process;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.user_regs_struct;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts a program in which CLOCK_MONOTONIC and CLOCK_BOOTTIME are those of another kernel, or of a
 * process that came from one (time_namespaces(7)).
 *
 * <p>Offsets can only be set while nothing is in the namespace, and with their nanoseconds only
 * through procfs; no program of a usual system does that. So a shell is made to leave for a new
 * namespace while it waits: its next system call is replaced by unshare(2), or by setns(2) where it
 * is to leave for that of a process, as not every system's nsenter(1) knows time namespaces.
 */
public final class TimeNamespace {
  /**
   * It says its number itself, for only then is it a shell: should that be begun by a process that
   * is in a new namespace, the offsets were set for good (timens_on_fork() in
   * kernel/time/namespace.c is called for execve(2), too).
   */
  private static final String INNER = "echo \"$$\"; read -r go && { \"$@\" & } && wait \"$!\"";

  /** The same, with a namespace as descriptor {@link #NAMESPACE}. */
  private static final String JOINING =
      "exec 4<\"$0\"; echo \"$$\"; read -r go && { \"$@\" 4<&- & } && wait \"$!\"";

  private static final int NAMESPACE = 4;

  /** Java waits for its children, and would take what the tracer waits for: a grandchild it is. */
  private static final String OUTER = "exec 3<&0; /bin/sh -c \"$0\" \"$@\" <&3 3<&- & wait \"$!\"";

  private static final int SYSCALL_STOP = 5 | 0x80;
  private static final int SYSCALL_INSTRUCTION = 2;
  private static final long NANOS = 1_000_000_000;

  private TimeNamespace() {}

  /**
   * Starts a command in a namespace of its own, below a shell.
   *
   * @param builder its command and redirections, but for the standard input and output
   * @return the shell; it ends when the command does
   */
  static Process start(ProcessBuilder builder, ClockOffsets offsets) throws IOException {
    return start(
        builder,
        List.of(INNER, "sh"),
        shell -> {
          call(shell, "unshare", Linux.__NR_unshare(), Linux.CLONE_NEWTIME(), 0);
          SysFiles.write(
              "/proc/" + shell + "/timens_offsets",
              line("monotonic", offsets.monotonic()) + line("boottime", offsets.boottime()));
        });
  }

  /**
   * Starts a command in the namespace of a process, below a shell.
   *
   * @param builder as in {@link #start}
   * @param pid the process
   */
  public static Process startIn(ProcessBuilder builder, int pid) throws IOException {
    return start(
        builder,
        List.of(JOINING, "/proc/" + pid + "/ns/time"),
        shell -> call(shell, "setns", Linux.__NR_setns(), NAMESPACE, Linux.CLONE_NEWTIME()));
  }

  /** What is done to a shell that waits. */
  @FunctionalInterface
  private interface Move {
    void of(int shell) throws IOException;
  }

  private static Process start(ProcessBuilder builder, List<String> script, Move move)
      throws IOException {
    var command = new ArrayList<>(List.of("/bin/sh", "-c", OUTER));
    command.addAll(script);
    command.addAll(builder.command());
    Process shell = builder.command(command).start();
    try {
      int pid = Integer.parseInt(line(shell.getInputStream()));
      move.of(pid);
      try (var input = shell.getOutputStream()) {
        input.write("go\n".getBytes(StandardCharsets.US_ASCII));
      }
      return shell;
    } catch (IOException | NumberFormatException e) {
      shell.descendants().forEach(ProcessHandle::destroyForcibly);
      shell.destroyForcibly();
      throw e;
    }
  }

  /** One line and no byte more: what follows is the command's. */
  private static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new IOException("the shell ended before it said its number");
      }
      line.append((char) next);
    }
    return line.toString();
  }

  private static String line(String clock, long nanos) {
    return clock + " " + Math.floorDiv(nanos, NANOS) + " " + Math.floorMod(nanos, NANOS) + "\n";
  }

  /**
   * How far the clocks of a process are from those of the kernel it runs in.
   *
   * @param pid of the process
   */
  public static ClockOffsets of(int pid) throws IOException {
    long monotonic = 0;
    long boottime = 0;
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/timens_offsets"))) {
      String[] fields = line.strip().split("\\s+", -1);
      long nanos = Long.parseLong(fields[1]) * NANOS + Long.parseLong(fields[2]);
      switch (fields[0]) {
        case "monotonic" -> monotonic = nanos;
        case "boottime" -> boottime = nanos;
        default -> throw new IOException("a clock that is not known: " + line);
      }
    }
    return new ClockOffsets(monotonic, boottime);
  }

  /** The namespace of a process, as the kernel names it: two are the same if this is. */
  public static String name(int pid) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/time")).toString();
  }

  private static void call(int pid, String name, int number, int first, int second)
      throws IOException {
    Ptrace.seize(pid, Linux.PTRACE_O_TRACESYSGOOD());
    Ptrace.interrupt(pid);
    awaitStop(pid);
    Ptrace.Status status;
    do {
      Ptrace.runToSystemCall(pid);
      status = awaitStop(pid);
    } while (status.signal() != SYSCALL_STOP);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment before = arena.allocate(user_regs_struct.layout());
      Ptrace.registers(pid, Linux.NT_PRSTATUS(), before);
      MemorySegment call = arena.allocate(user_regs_struct.layout()).copyFrom(before);
      user_regs_struct.orig_rax(call, number);
      user_regs_struct.rdi(call, first);
      user_regs_struct.rsi(call, second);
      Ptrace.setRegisters(pid, Linux.NT_PRSTATUS(), call);
      Ptrace.runToSystemCall(pid);
      awaitStop(pid);
      Ptrace.registers(pid, Linux.NT_PRSTATUS(), call);
      long result = user_regs_struct.rax(call);
      // The call that was replaced is made now.
      user_regs_struct.rax(before, user_regs_struct.orig_rax(before));
      user_regs_struct.orig_rax(before, -1);
      user_regs_struct.rip(before, user_regs_struct.rip(before) - SYSCALL_INSTRUCTION);
      Ptrace.setRegisters(pid, Linux.NT_PRSTATUS(), before);
      Ptrace.detach(pid);
      if (result < 0) {
        throw new SyscallException(
            name, "CLONE_NEWTIME, in process " + pid, new Errno((int) -result));
      }
    }
  }

  private static Ptrace.Status awaitStop(int pid) throws IOException {
    Ptrace.Status status = Ptrace.await(pid);
    if (!status.stopped()) {
      throw new IOException("the shell " + pid + " ended with status " + status.status());
    }
    return status;
  }
}
