package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.broker.process.PidSpace;
import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.broker.process.ThreadAttributes.RestartableSequences;
import io.twinkernel.ffi.Niceness;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RealTime;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.ptrace_rseq_configuration;
import io.twinkernel.ffi.bindings.stack_t;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Has a stopped copy, whose first thread is traced meanwhile, begin and end threads as its process
 * did. A new one shares all that threads of pthreads share, and is what the first one is in all
 * that {@link ThreadAttributes} do not say; it stays stopped, as the others do.
 */
final class ThreadReshaping {
  /** Where nothing is ever mapped: it gets its own stack pointer with its other registers. */
  private static final long NO_STACK = 8;

  /** How often another one may take the number meanwhile. */
  private static final int MOST_TRIES = 20;

  /** {@code sizeof(struct robust_list_head)}: the kernel takes no other. */
  private static final int ROBUST_LENGTH = 24;

  /** RSEQ_FLAG_UNREGISTER of include/uapi/linux/rseq.h. */
  private static final int UNREGISTER = 1;

  /** SS_ONSTACK of include/uapi/linux/signal.h: said of a stack, and not asked for. */
  private static final int ON_STACK = 1;

  private final int pid;
  private final TraceeCalls calls;
  private final long instruction;

  /**
   * @param pid of the copy
   * @param calls that its first thread makes
   */
  ThreadReshaping(int pid, TraceeCalls calls) {
    this.pid = pid;
    this.calls = calls;
    this.instruction = calls.remote().instruction();
  }

  void run(ThreadChanges changes) throws IOException {
    for (int thread : changes.ended()) {
      if (thread == pid) {
        throw new IOException("process " + pid + " goes on without its first thread");
      }
      end(thread);
    }
    for (ThreadAttributes thread : changes.begun()) {
      begin(thread);
    }
    for (ThreadAttributes thread : changes.others()) {
      if (thread.thread() == pid) {
        setAnew(thread, calls.remote());
      } else {
        setHeld(thread);
      }
    }
  }

  private void setAnew(ThreadAttributes thread, RemoteCall remote) throws IOException {
    set(thread, remote);
    register(thread, remote);
  }

  private void setHeld(ThreadAttributes thread) throws IOException {
    ThreadRegisters.hold(thread.thread());
    try {
      setAnew(thread, new RemoteCall(thread.thread(), instruction));
    } finally {
      Ptrace.detach(thread.thread());
    }
  }

  private static String name(int thread) {
    return "thread " + thread;
  }

  /** It ends without a trace in memory: what the kernel would have written the process has. */
  private void end(int thread) throws IOException {
    ThreadRegisters.hold(thread);
    try {
      exit(new RemoteCall(thread, instruction));
    } catch (IOException e) {
      ThreadRegisters.letGo(List.of(thread));
      throw e;
    }
  }

  private static void exit(RemoteCall remote) throws SyscallException {
    String name = name(remote.thread());
    remote.call("set_robust_list", name, Linux.__NR_set_robust_list(), 0, ROBUST_LENGTH);
    remote.call("set_tid_address", name, Linux.__NR_set_tid_address(), 0);
    remote.exit();
  }

  private void begin(ThreadAttributes thread) throws IOException {
    RemoteCall begun = begin(thread.thread(), thread.clearTid());
    try {
      set(thread, begun);
      if (thread.restartable().isPresent()) {
        register(thread, begun);
      }
    } finally {
      Ptrace.detach(begun.thread());
    }
  }

  /** One with that number, traced. */
  private RemoteCall begin(int number, long clearTid) throws IOException {
    if (number <= PidSpace.RESERVED) {
      throw new IOException("no service has a thread with the number " + number);
    }
    for (int tries = 0; tries < MOST_TRIES; tries++) {
      if (Files.exists(Path.of("/proc/" + number))) {
        throw new IOException("this kernel has a process or thread " + number + " of its own");
      }
      PidSpace.startAfter(number - 1);
      int begun =
          (int)
              calls.call(
                  "clone",
                  name(number),
                  Linux.__NR_clone(),
                  Linux.CLONE_VM()
                      | Linux.CLONE_FS()
                      | Linux.CLONE_FILES()
                      | Linux.CLONE_SIGHAND()
                      | Linux.CLONE_THREAD()
                      | Linux.CLONE_SYSVSEM()
                      | Linux.CLONE_CHILD_CLEARTID()
                      | Linux.CLONE_PTRACE(),
                  NO_STACK,
                  0,
                  clearTid);
      var remote = new RemoteCall(begun, instruction);
      if (begun == number) {
        awaitStopped(begun);
        return remote;
      }
      try {
        awaitStopped(begun);
        exit(remote);
      } catch (IOException e) {
        ThreadRegisters.letGo(List.of(begun));
        throw e;
      }
    }
    throw new IOException("others take the number of " + name(number) + " again and again");
  }

  private void awaitStopped(int begun) throws IOException {
    if (!Ptrace.await(begun).stopped()) {
      throw new IOException(name(begun) + " of process " + pid + " has ended");
    }
  }

  private void set(ThreadAttributes thread, RemoteCall remote) throws IOException {
    String name = name(thread.thread());
    byte[] text = (thread.name() + "\0").getBytes(UTF_8);
    remote.call("prctl", name, Linux.__NR_prctl(), Linux.PR_SET_NAME(), calls.put(text));
    remote.call("set_tid_address", name, Linux.__NR_set_tid_address(), thread.clearTid());
    remote.call(
        "set_robust_list", name, Linux.__NR_set_robust_list(), thread.robustList(), ROBUST_LENGTH);
    remote.call(
        "prctl", name, Linux.__NR_prctl(), Linux.PR_SET_PDEATHSIG(), thread.parentDeathSignal());
    remote.call("sigaltstack", name, Linux.__NR_sigaltstack(), calls.put(stack(thread.stack())), 0);
    ThreadAttributes.Scheduling scheduling = thread.scheduling();
    RealTime.schedule(thread.thread(), scheduling.policy(), scheduling.priority());
    Niceness.set(thread.thread(), scheduling.nice());
  }

  private static byte[] stack(ThreadAttributes.SignalStack stack) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment own = arena.allocate(stack_t.layout());
      stack_t.ss_sp(own, MemorySegment.ofAddress(stack.address()));
      stack_t.ss_size(own, stack.bytes());
      stack_t.ss_flags(own, stack.flags() & ~ON_STACK);
      return own.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Its area for restartable sequences, of which it can have one at a time. */
  private static void register(ThreadAttributes thread, RemoteCall remote) throws IOException {
    String name = name(thread.thread());
    long had;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment area = RestartableSequence.configuration(arena, thread.thread());
      had = ptrace_rseq_configuration.rseq_abi_pointer(area);
      long wanted = thread.restartable().map(RestartableSequences::address).orElse(0L);
      if (had == wanted) {
        return;
      }
      if (had != 0) {
        int bytes = ptrace_rseq_configuration.rseq_abi_size(area);
        int signature = ptrace_rseq_configuration.signature(area);
        remote.call("rseq", name, Linux.__NR_rseq(), had, bytes, UNREGISTER, signature);
      }
    }
    if (thread.restartable().isPresent()) {
      RestartableSequences area = thread.restartable().get();
      remote.call(
          "rseq", name, Linux.__NR_rseq(), area.address(), area.bytes(), 0, area.signature());
    }
  }
}
