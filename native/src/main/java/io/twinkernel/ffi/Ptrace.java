package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.iovec;
import io.twinkernel.ffi.bindings.ptrace_peeksiginfo_args;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * {@code ptrace(2)} of threads that were attached to with {@link #seize}.
 *
 * <p>The kernel knows a tracer by its thread, not by its process: all calls for one tracee must
 * come from the thread that seized it, a platform thread. When that thread ends, its tracees are
 * detached and go on.
 */
public final class Ptrace {
  private static final int EVENT_SHIFT = 16;
  private static final int STOPPED = 0x7f;
  private static final int SIGNAL_SET = 8;

  /** Of a {@code siginfo_t}, in bytes. */
  private static final int SIGNAL_INFO = 128;

  /** So many are asked for at a time. */
  private static final int MOST_SIGNALS = 16;

  private Ptrace() {}

  /**
   * How a tracee has stopped or ended, as {@code wait4(2)} says it.
   *
   * @param status the raw status word
   */
  public record Status(int status) {
    /** Whether it is stopped, rather than gone. */
    public boolean stopped() {
      return (status & 0xff) == STOPPED;
    }

    /** The signal that stopped it; with PTRACE_O_TRACESYSGOOD 0x80 is added at a system call. */
    public int signal() {
      return status >> 8 & 0xff;
    }

    /** PTRACE_EVENT_*, 0 if none. */
    public int event() {
      return status >> EVENT_SHIFT;
    }
  }

  /**
   * PTRACE_SEIZE: attaches without stopping it.
   *
   * @param thread its number, that of a process or of one of its threads
   * @param options PTRACE_O_*
   */
  public static void seize(int thread, int options) throws SyscallException {
    request("PTRACE_SEIZE", Linux.PTRACE_SEIZE(), thread, 0, options);
  }

  /** Adds PTRACE_SEIZE; the batch is run on the thread that is the tracer then. */
  public static void seize(CallBatch batch, int thread) {
    request(batch, "PTRACE_SEIZE", Linux.PTRACE_SEIZE(), thread, 0, 0);
  }

  /** PTRACE_INTERRUPT: makes it stop with PTRACE_EVENT_STOP, which {@link #await} sees. */
  public static void interrupt(int thread) throws SyscallException {
    request("PTRACE_INTERRUPT", Linux.PTRACE_INTERRUPT(), thread, 0, 0);
  }

  /** PTRACE_DETACH of a stopped tracee; one that a SIGSTOP holds stays stopped. */
  public static void detach(int thread) throws SyscallException {
    request("PTRACE_DETACH", Linux.PTRACE_DETACH(), thread, 0, 0);
  }

  /** Adds PTRACE_DETACH. */
  public static void detach(CallBatch batch, int thread) {
    request(batch, "PTRACE_DETACH", Linux.PTRACE_DETACH(), thread, 0, 0);
  }

  /** PTRACE_SYSCALL: lets it run to the next entry to or exit from a system call. */
  public static void runToSystemCall(int thread) throws SyscallException {
    runToSystemCall(thread, 0);
  }

  /**
   * As {@link #runToSystemCall(int)}.
   *
   * @param signal that it stopped for, and gets now; 0 for none
   */
  public static void runToSystemCall(int thread, int signal) throws SyscallException {
    request("PTRACE_SYSCALL", Linux.PTRACE_SYSCALL(), thread, 0, signal);
  }

  /** Waits, as long as it takes, until the thread stops or ends. */
  public static Status await(int thread) throws SyscallException {
    return await(thread, Linux.__WALL()).orElseThrow();
  }

  /** Whether the thread has stopped or ended, and how; empty if it has not. */
  public static Optional<Status> poll(int thread) throws SyscallException {
    return await(thread, Linux.__WALL() | Linux.WNOHANG());
  }

  /**
   * Adds a wait, as long as it takes, until the thread stops or ends.
   *
   * @return the place that {@link #status} is given
   */
  public static int await(CallBatch batch, int thread) {
    int place = batch.room(Integer.BYTES);
    batch.add(
        "wait4", thread, Linux.__NR_wait4(), thread, batch.address(place), Linux.__WALL(), 0, 0, 0);
    return place;
  }

  /** What a wait of a batch found. */
  public static Status status(CallBatch batch, int place) {
    return new Status(batch.data().getInt(place));
  }

  private static Optional<Status> await(int thread, int options) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(ValueLayout.JAVA_INT);
      long result =
          NativeCall.uninterrupted(
              Linux.__NR_wait4(), thread, status.address(), options, 0, 0, 0, status);
      if (result < 0) {
        throw SyscallException.of("wait4", Integer.toString(thread), result);
      }
      return result == 0
          ? Optional.empty()
          : Optional.of(new Status(status.get(ValueLayout.JAVA_INT, 0)));
    }
  }

  /**
   * PTRACE_GETREGSET of a stopped tracee.
   *
   * @param set NT_*: NT_PRSTATUS is a {@code user_regs_struct}, NT_X86_XSTATE what XSAVE stores
   * @param buffer receives it
   * @return how many bytes of the buffer it takes
   */
  public static int registers(int thread, int set, MemorySegment buffer) throws SyscallException {
    return registerSet("PTRACE_GETREGSET", Linux.PTRACE_GETREGSET(), thread, set, buffer);
  }

  /** PTRACE_SETREGSET of a stopped tracee; see {@link #registers}. */
  public static void setRegisters(int thread, int set, MemorySegment data) throws SyscallException {
    registerSet("PTRACE_SETREGSET", Linux.PTRACE_SETREGSET(), thread, set, data);
  }

  /**
   * Adds PTRACE_GETREGSET.
   *
   * @param set NT_*
   * @param place receives it
   * @param length of the room there
   * @return the place that {@link #registersRead} is given
   */
  public static int registers(CallBatch batch, int thread, int set, int place, int length) {
    return registerSet(
        "PTRACE_GETREGSET", Linux.PTRACE_GETREGSET(), batch, thread, set, place, length);
  }

  /** How many bytes of the room given a PTRACE_GETREGSET of a batch has filled. */
  public static int registersRead(CallBatch batch, int vector) {
    return Math.toIntExact(batch.data().getLong(vector + (int) iovec.iov_len$offset()));
  }

  /** Adds PTRACE_SETREGSET. */
  public static void setRegisters(CallBatch batch, int thread, int set, byte[] registers) {
    registerSet(
        "PTRACE_SETREGSET",
        Linux.PTRACE_SETREGSET(),
        batch,
        thread,
        set,
        batch.room(registers),
        registers.length);
  }

  private static int registerSet(
      String name, int request, CallBatch batch, int thread, int set, int place, int length) {
    int vector = batch.room((int) iovec.sizeof());
    batch.data().putLong(vector + (int) iovec.iov_base$offset(), batch.address(place));
    batch.data().putLong(vector + (int) iovec.iov_len$offset(), length);
    request(batch, name, request, thread, set, batch.address(vector));
    return vector;
  }

  /** Adds PTRACE_GETSIGMASK; returns where the mask will be. */
  public static int signalMask(CallBatch batch, int thread) {
    int place = batch.room(SIGNAL_SET);
    request(
        batch,
        "PTRACE_GETSIGMASK",
        Linux.PTRACE_GETSIGMASK(),
        thread,
        SIGNAL_SET,
        batch.address(place));
    return place;
  }

  /** Adds PTRACE_SETSIGMASK. */
  public static void setSignalMask(CallBatch batch, int thread, long mask) {
    int place = batch.room(SIGNAL_SET);
    batch.data().putLong(place, mask);
    request(
        batch,
        "PTRACE_SETSIGMASK",
        Linux.PTRACE_SETSIGMASK(),
        thread,
        SIGNAL_SET,
        batch.address(place));
  }

  private static void request(
      CallBatch batch, String name, int request, int thread, long address, long data) {
    batch.add(name, thread, Linux.__NR_ptrace(), request, thread, address, data, 0, 0);
  }

  private static int registerSet(String name, int request, int thread, int set, MemorySegment data)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment vector = arena.allocate(iovec.layout());
      iovec.iov_base(vector, data);
      iovec.iov_len(vector, data.byteSize());
      request(name, request, thread, set, vector.address());
      return Math.toIntExact(iovec.iov_len(vector));
    }
  }

  /** PTRACE_GETSIGMASK of a stopped tracee: bit n-1 is signal n. */
  public static long signalMask(int thread) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(ValueLayout.JAVA_LONG);
      request("PTRACE_GETSIGMASK", Linux.PTRACE_GETSIGMASK(), thread, SIGNAL_SET, mask.address());
      return mask.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /** PTRACE_SETSIGMASK of a stopped tracee. */
  public static void setSignalMask(int thread, long mask) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_LONG, mask);
      request("PTRACE_SETSIGMASK", Linux.PTRACE_SETSIGMASK(), thread, SIGNAL_SET, memory.address());
    }
  }

  /**
   * PTRACE_PEEKSIGINFO of a stopped tracee: the signals that wait for it, in their order.
   *
   * @param shared those for its process, else those for the thread alone
   * @return a {@code siginfo_t} for each
   */
  public static List<byte[]> pendingSignals(int thread, boolean shared) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment asked = arena.allocate(ptrace_peeksiginfo_args.layout());
      ptrace_peeksiginfo_args.flags(asked, shared ? Linux.PTRACE_PEEKSIGINFO_SHARED() : 0);
      ptrace_peeksiginfo_args.nr(asked, MOST_SIGNALS);
      MemorySegment found = arena.allocate((long) MOST_SIGNALS * SIGNAL_INFO, Long.BYTES);
      var signals = new ArrayList<byte[]>();
      int count;
      do {
        ptrace_peeksiginfo_args.off(asked, signals.size());
        count =
            (int)
                ask(
                    "PTRACE_PEEKSIGINFO",
                    Linux.PTRACE_PEEKSIGINFO(),
                    thread,
                    asked.address(),
                    found.address());
        for (int i = 0; i < count; i++) {
          signals.add(
              found.asSlice((long) i * SIGNAL_INFO, SIGNAL_INFO).toArray(ValueLayout.JAVA_BYTE));
        }
      } while (count == MOST_SIGNALS);
      return List.copyOf(signals);
    }
  }

  /**
   * PTRACE_GET_RSEQ_CONFIGURATION of a stopped tracee (Linux 5.13).
   *
   * @param buffer receives a {@code ptrace_rseq_configuration}
   */
  public static void restartableSequences(int thread, MemorySegment buffer)
      throws SyscallException {
    request(
        "PTRACE_GET_RSEQ_CONFIGURATION",
        Linux.PTRACE_GET_RSEQ_CONFIGURATION(),
        thread,
        buffer.byteSize(),
        buffer.address());
  }

  private static void request(String name, int request, int thread, long address, long data)
      throws SyscallException {
    var _ = ask(name, request, thread, address, data);
  }

  private static long ask(String name, int request, int thread, long address, long data)
      throws SyscallException {
    long result = NativeCall.system(Linux.__NR_ptrace(), request, thread, address, data);
    if (result < 0) {
      throw SyscallException.of(name, Integer.toString(thread), result);
    }
    return result;
  }
}
