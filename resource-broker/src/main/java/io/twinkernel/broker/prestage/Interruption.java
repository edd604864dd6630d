package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.user_regs_struct;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread that stands still for some calls in its name. Whether it ran, slept in a system call or
 * was stopped, it goes on as after a SIGSTOP and SIGCONT: a call that was under way is made again
 * by the kernel, with the time that it has left, or is interrupted where signal(7) says so.
 *
 * <p>Made, used and closed on the thread that traces.
 */
final class Interruption implements AutoCloseable {
  /** All that can be blocked. */
  private static final long EVERY_SIGNAL = -1;

  private static final long LOOK_EVERY_NANOS = 50_000;

  /** Others may stand still meanwhile. Only a thread that waits for a device takes that long. */
  private static final Duration STOPS_WITHIN = Duration.ofMillis(300);

  private final int thread;
  private final Arena arena;
  private final MemorySegment registers;
  private final long signalMask;
  private final RemoteCall remote;

  private Interruption(
      int thread, Arena arena, MemorySegment registers, long signalMask, RemoteCall remote) {
    this.thread = thread;
    this.arena = arena;
    this.registers = registers;
    this.signalMask = signalMask;
    this.remote = remote;
  }

  /**
   * @param instruction {@link Vdso#systemCall} of its process
   */
  static Interruption of(int thread, long instruction) throws IOException {
    hold(thread);
    Arena arena = Arena.ofConfined();
    try {
      MemorySegment registers = arena.allocate(user_regs_struct.layout());
      Ptrace.registers(thread, Linux.NT_PRSTATUS(), registers);
      RestartableSequence.check(thread, user_regs_struct.rip(registers));
      long signalMask = Ptrace.signalMask(thread);
      // A handler would run on the registers of the calls.
      Ptrace.setSignalMask(thread, EVERY_SIGNAL);
      return new Interruption(
          thread, arena, registers, signalMask, new RemoteCall(thread, instruction));
    } catch (IOException | RuntimeException e) {
      arena.close();
      Ptrace.detach(thread);
      throw e;
    }
  }

  /** Has a thread stand still, and nothing else, until it is detached from. */
  static void hold(int thread) throws IOException {
    Ptrace.seize(thread, 0);
    Ptrace.interrupt(thread);
    long deadline = System.nanoTime() + STOPS_WITHIN.toNanos();
    while (!isStopped(thread)) {
      if (System.nanoTime() - deadline > 0) {
        // It cannot even be detached from before it stops, but by the end of the tracing thread.
        throw Unstageable.now("thread " + thread + " waits for a device, and does not stop");
      }
      LockSupport.parkNanos(LOOK_EVERY_NANOS);
    }
  }

  /** Whether it is where the kernel looks after signals, and system calls that these interrupt. */
  private static boolean isStopped(int thread) throws IOException {
    Optional<Ptrace.Status> status = Ptrace.poll(thread);
    return status.isPresent() && isStop(thread, status.get());
  }

  private static boolean isStop(int thread, Ptrace.Status status) throws IOException {
    if (!status.stopped()) {
      throw Unstageable.now("thread " + thread + " has ended");
    }
    if (status.event() == Linux.PTRACE_EVENT_STOP()) {
      return true;
    }
    Ptrace.runToSystemCall(thread, status.signal() == Linux.SIGTRAP() ? 0 : status.signal());
    return false;
  }

  /** Makes calls in its name. */
  RemoteCall remote() {
    return remote;
  }

  @Override
  public void close() throws IOException {
    try (arena) {
      Ptrace.interrupt(thread);
      Ptrace.runToSystemCall(thread);
      while (!isStop(thread, Ptrace.await(thread))) {
        // It gets its signal.
      }
      Ptrace.setRegisters(thread, Linux.NT_PRSTATUS(), registers);
      Ptrace.setSignalMask(thread, signalMask);
    } finally {
      Ptrace.detach(thread);
    }
  }
}
