package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What a stopped process is, beyond its memory, that its staged copy in the other kernel is not
 * yet.
 *
 * @param pid its number in both
 * @param threads the registers of those threads whose the copy does not have
 * @param connections its TCP connections
 * @param offsets where it is in regular files
 * @param timer its ITIMER_REAL; empty if that is not set
 * @param timers its timerfds
 * @param signals that wait for it, in their order
 */
public record ProcessDelta(
    int pid,
    List<ThreadState> threads,
    List<TcpState> connections,
    List<Offset> offsets,
    Optional<IntervalTimer> timer,
    List<TimerState> timers,
    List<PendingSignal> signals) {

  // What one takes up, without the bytes of its arrays.
  private static final int THREAD = 3 * Integer.BYTES + Long.BYTES;
  private static final int CONNECTION = 14 * Integer.BYTES;
  private static final int OFFSET = Integer.BYTES + Long.BYTES;
  private static final int TIMER = 2 * Long.BYTES;
  private static final int SIGNAL = 2 * Integer.BYTES;

  /**
   * Where it reads or writes next.
   *
   * @param descriptor number in the process
   * @param position bytes from the file's start
   */
  record Offset(int descriptor, long position) {}

  /** Keeps the lists from changing. */
  public ProcessDelta {
    threads = List.copyOf(threads);
    connections = List.copyOf(connections);
    offsets = List.copyOf(offsets);
    timers = List.copyOf(timers);
    signals = List.copyOf(signals);
  }

  /** Of one that has no timer, and for which no signal waits. */
  ProcessDelta(
      int pid, List<ThreadState> threads, List<TcpState> connections, List<Offset> offsets) {
    this(pid, threads, connections, offsets, Optional.empty(), List.of(), List.of());
  }

  /** For the way to the other kernel. */
  public byte[] toBytes() {
    ByteBuffer out = ByteBuffer.allocate(size());
    out.putInt(pid);
    out.putInt(threads.size());
    for (ThreadState thread : threads) {
      out.putInt(thread.thread());
      write(out, thread.registers());
      write(out, thread.extended());
      out.putLong(thread.signalMask());
    }
    out.putInt(connections.size());
    for (TcpState connection : connections) {
      write(out, connection);
    }
    out.putInt(offsets.size());
    for (Offset offset : offsets) {
      out.putInt(offset.descriptor());
      out.putLong(offset.position());
    }
    out.putInt(timer.isPresent() ? 1 : 0);
    if (timer.isPresent()) {
      out.putLong(timer.get().expiry());
      out.putLong(timer.get().interval());
    }
    out.putInt(timers.size());
    for (TimerState one : timers) {
      one.write(out);
    }
    out.putInt(signals.size());
    for (PendingSignal signal : signals) {
      out.putInt(signal.whole() ? 1 : 0);
      write(out, signal.info());
    }
    return out.array();
  }

  private int size() {
    int size = 7 * Integer.BYTES + timers.size() * TimerState.BYTES + offsets.size() * OFFSET;
    size += timer.isPresent() ? TIMER : 0;
    for (PendingSignal signal : signals) {
      size += SIGNAL + signal.info().length;
    }
    for (ThreadState thread : threads) {
      size += THREAD + thread.registers().length + thread.extended().length;
    }
    for (TcpState connection : connections) {
      size += CONNECTION + connection.local().length + connection.peer().length;
      size += connection.window().length;
      size += connection.received().length + connection.written().length;
    }
    return size;
  }

  private static void write(ByteBuffer out, TcpState connection) {
    out.putInt(connection.descriptor());
    out.putInt(connection.state());
    write(out, connection.local());
    write(out, connection.peer());
    out.putInt(connection.options());
    out.putInt(connection.windowScales());
    out.putInt(connection.maximumSegment());
    out.putInt(connection.timestamp());
    write(out, connection.window());
    out.putInt(connection.receiveSequence());
    out.putInt(connection.sendSequence());
    write(out, connection.received());
    write(out, connection.written());
    out.putInt(connection.unsent());
  }

  private static void write(ByteBuffer out, byte[] bytes) {
    out.putInt(bytes.length).put(bytes);
  }

  /**
   * Reads what came from the other kernel.
   *
   * @throws IOException if the bytes are not what {@link #toBytes} made
   */
  public static ProcessDelta fromBytes(byte[] bytes) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    ProcessDelta delta;
    try {
      delta = read(in);
    } catch (BufferUnderflowException e) {
      throw new IOException("the state of a process is cut off", e);
    }
    if (in.hasRemaining()) {
      throw new IOException("bytes after the state of process " + delta.pid());
    }
    return delta;
  }

  private static ProcessDelta read(ByteBuffer in) throws IOException {
    int pid = in.getInt();
    var threads = new ArrayList<ThreadState>();
    for (int left = count(in); left > 0; left--) {
      threads.add(new ThreadState(in.getInt(), bytes(in), bytes(in), in.getLong()));
    }
    var connections = new ArrayList<TcpState>();
    for (int left = count(in); left > 0; left--) {
      connections.add(connection(in));
    }
    var offsets = new ArrayList<Offset>();
    for (int left = count(in); left > 0; left--) {
      offsets.add(new Offset(in.getInt(), in.getLong()));
    }
    Optional<IntervalTimer> timer =
        in.getInt() == 0
            ? Optional.empty()
            : Optional.of(new IntervalTimer(in.getLong(), in.getLong()));
    var timers = new ArrayList<TimerState>();
    for (int left = count(in); left > 0; left--) {
      timers.add(TimerState.read(in));
    }
    var signals = new ArrayList<PendingSignal>();
    for (int left = count(in); left > 0; left--) {
      signals.add(new PendingSignal(in.getInt() != 0, bytes(in)));
    }
    return new ProcessDelta(pid, threads, connections, offsets, timer, timers, signals);
  }

  private static TcpState connection(ByteBuffer in) throws IOException {
    return new TcpState(
        in.getInt(),
        in.getInt(),
        bytes(in),
        bytes(in),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        in.getInt(),
        bytes(in),
        in.getInt(),
        in.getInt(),
        bytes(in),
        bytes(in),
        in.getInt());
  }

  /** Of what takes at least a byte each; more than is left is damage. */
  private static int count(ByteBuffer in) throws IOException {
    int count = in.getInt();
    if (count < 0 || count > in.remaining()) {
      throw new IOException("a count of " + count + " where " + in.remaining() + " bytes are left");
    }
    return count;
  }

  private static byte[] bytes(ByteBuffer in) throws IOException {
    byte[] bytes = new byte[count(in)];
    in.get(bytes);
    return bytes;
  }

  @Override
  public String toString() {
    return "process %d: %d threads, connections %s, offsets %s, %s, %s, %s"
        .formatted(
            pid,
            threads.size(),
            Arrays.toString(connections.toArray()),
            offsets,
            timer,
            timers,
            signals);
  }
}
