package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.user_regs_struct;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads and writes the registers of many threads at once. */
final class ThreadRegisters {
  /** Larger than any XSAVE area: with AMX's tiles it takes 11 KiB. */
  private static final int MOST_EXTENDED = 1 << 15;

  /** Where the kernel says which features the area has room for (struct xregs_state, i387). */
  private static final int FEATURES_KNOWN = 464;

  /** XSTATE_BV: the features that are not in their initial state. */
  private static final int FEATURES_USED = 512;

  private static final int GENERAL = (int) user_regs_struct.sizeof();

  // For each thread, besides the extended ones.
  private static final int CALLS = 6;
  private static final int BYTES = GENERAL + 128;

  /**
   * This kernel's area for the extended ones, which is the same for all threads.
   *
   * @param size in bytes
   * @param known the features that it has room for
   */
  private record Area(int size, long known) {}

  /** Once one has been read; null before. */
  private static volatile @Nullable Area seen;

  private ThreadRegisters() {}

  /** Where in a batch what is asked of a thread will be. */
  private record Places(int status, int general, int extended, int extendedSize, int mask) {}

  /**
   * Reads those of threads that a signal has stopped, and that nobody traces.
   *
   * @throws IOException also if one has ended
   */
  static List<ThreadState> capture(List<Integer> threads) throws IOException {
    seize(threads);
    return captureSeized(threads);
  }

  /** Begins with that: they come to stand still for it side by side. */
  static void seize(List<Integer> threads) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, threads.size(), 0);
      for (int thread : threads) {
        Ptrace.seize(batch, thread);
      }
      batch.run();
    } catch (IOException e) {
      letGo(threads);
      throw e;
    }
  }

  /** The rest of {@link #capture}, on the same thread; nobody traces them afterwards. */
  static List<ThreadState> captureSeized(List<Integer> threads) throws IOException {
    try {
      return read(threads);
    } catch (IOException e) {
      letGo(threads);
      throw e;
    }
  }

  private static List<ThreadState> read(List<Integer> threads) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      int most = mostExtended();
      var batch = new CallBatch(arena, threads.size() * CALLS, threads.size() * (BYTES + most));
      var places = new ArrayList<Places>(threads.size());
      for (int thread : threads) {
        int status = Ptrace.await(batch, thread);
        int general = batch.room(GENERAL);
        Ptrace.registers(batch, thread, Linux.NT_PRSTATUS(), general, GENERAL);
        int extended = batch.room(most);
        int size = Ptrace.registers(batch, thread, Linux.NT_X86_XSTATE(), extended, most);
        int mask = Ptrace.signalMask(batch, thread);
        Ptrace.detach(batch, thread);
        places.add(new Places(status, general, extended, size, mask));
      }
      batch.run();
      var states = new ArrayList<ThreadState>(threads.size());
      for (int i = 0; i < threads.size(); i++) {
        states.add(state(threads.get(i), batch, places.get(i)));
        see(batch, places.get(i).extended(), places.get(i).extendedSize());
      }
      return List.copyOf(states);
    }
  }

  private static ThreadState state(int thread, CallBatch batch, Places at) throws IOException {
    if (!Ptrace.status(batch, at.status()).stopped()) {
      throw new IOException("thread " + thread + " has ended");
    }
    return new ThreadState(
        thread,
        ThreadState.leaveSystemCall(batch.bytes(at.general(), GENERAL)),
        batch.bytes(at.extended(), Ptrace.registersRead(batch, at.extendedSize())),
        batch.data().getLong(at.mask()));
  }

  /**
   * Gives threads registers that a signal has stopped, and that nobody traces; they stay stopped.
   *
   * @throws IOException also if one has ended, or used registers that this kernel does not save
   */
  static void give(Collection<ThreadState> states) throws IOException {
    if (states.isEmpty()) {
      return;
    }
    try {
      write(states);
    } catch (IOException e) {
      letGo(states.stream().map(ThreadState::thread).toList());
      throw e;
    }
  }

  /** Whoever is still traced would stand still for as long as this thread lives. */
  static void letGo(List<Integer> threads) {
    for (int thread : threads) {
      try {
        Ptrace.detach(thread);
      } catch (SyscallException notTraced) {
        // Or gone.
      }
    }
  }

  /** No more than that is asked for: the room that calls are given is filled with zeros. */
  private static int mostExtended() {
    Area area = seen;
    return area == null ? MOST_EXTENDED : area.size();
  }

  private static Area see(CallBatch batch, int place, int size) {
    Area area = seen;
    if (area == null) {
      area =
          new Area(Ptrace.registersRead(batch, size), batch.data().getLong(place + FEATURES_KNOWN));
      seen = area;
    }
    return area;
  }

  private static void write(Collection<ThreadState> states) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      Area area = seen;
      if (area == null) {
        area = look(arena, states.iterator().next().thread());
      }
      int room = states.size() * (BYTES + area.size());
      var batch = new CallBatch(arena, states.size() * CALLS, room);
      for (ThreadState state : states) {
        Ptrace.seize(batch, state.thread());
      }
      for (ThreadState state : states) {
        int thread = state.thread();
        Ptrace.await(batch, thread);
        Ptrace.setRegisters(batch, thread, Linux.NT_PRSTATUS(), state.registers());
        Ptrace.setRegisters(batch, thread, Linux.NT_X86_XSTATE(), extended(state, area));
        Ptrace.setSignalMask(batch, thread, state.signalMask());
        Ptrace.detach(batch, thread);
      }
      batch.run();
    }
  }

  /** Reads a thread's extended ones. */
  private static Area look(Arena arena, int thread) throws IOException {
    var batch = new CallBatch(arena, CALLS, BYTES + MOST_EXTENDED);
    Ptrace.seize(batch, thread);
    Ptrace.await(batch, thread);
    int place = batch.room(MOST_EXTENDED);
    int size = Ptrace.registers(batch, thread, Linux.NT_X86_XSTATE(), place, MOST_EXTENDED);
    Ptrace.detach(batch, thread);
    batch.run();
    return see(batch, place, size);
  }

  private static byte[] extended(ThreadState state, Area area) throws IOException {
    ByteBuffer source = ByteBuffer.wrap(state.extended()).order(ByteOrder.nativeOrder());
    long used = source.getLong(FEATURES_USED);
    if ((used & ~area.known()) != 0) {
      throw new IOException(
          "thread %d uses register features 0x%x, this kernel saves 0x%x"
              .formatted(state.thread(), used, area.known()));
    }
    // The place of each feature is the processor's; kernels differ in how many they have.
    byte[] target = new byte[area.size()];
    System.arraycopy(
        state.extended(), 0, target, 0, Math.min(state.extended().length, target.length));
    ByteBuffer.wrap(target).order(ByteOrder.nativeOrder()).putLong(FEATURES_KNOWN, area.known());
    return target;
  }

  /** Traces a thread that a signal has stopped. */
  static void hold(int thread) throws IOException {
    Ptrace.seize(thread, 0);
    if (!Ptrace.await(thread).stopped()) {
      throw new IOException("thread " + thread + " has ended");
    }
  }
}
