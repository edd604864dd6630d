package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.RemoteCall;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.user_regs_struct;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A thread that stands still for some calls in its name. Whether it ran, slept in a system call or
 * was stopped, it goes on as if nothing had been: a call that was under way is made again by the
 * kernel, with the time that it has left.
 *
 * <p>Made, used and closed on the thread that traces.
 */
final class Interruption implements AutoCloseable {
  /** All that can be blocked. */
  private static final long EVERY_SIGNAL = -1;

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
    awaitStop(thread);
  }

  /** Makes calls in its name. */
  RemoteCall remote() {
    return remote;
  }

  /** Until it is where the kernel looks after signals, and system calls that these interrupt. */
  private static void awaitStop(int thread) throws IOException {
    while (true) {
      Ptrace.Status status = Ptrace.await(thread);
      if (!status.stopped()) {
        throw new IOException("thread " + thread + " has ended");
      }
      if (status.event() == Linux.PTRACE_EVENT_STOP()) {
        return;
      }
      Ptrace.runToSystemCall(thread, status.signal() == Linux.SIGTRAP() ? 0 : status.signal());
    }
  }

  @Override
  public void close() throws IOException {
    try (arena) {
      Ptrace.interrupt(thread);
      Ptrace.runToSystemCall(thread);
      awaitStop(thread);
      Ptrace.setRegisters(thread, Linux.NT_PRSTATUS(), registers);
      Ptrace.setSignalMask(thread, signalMask);
    } finally {
      Ptrace.detach(thread);
    }
  }
}
