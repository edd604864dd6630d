package io.twinkernel.broker.prestage;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a stopped process is, beyond its memory, that its staged copy in the other kernel is not
 * yet.
 *
 * @param pid its number in both
 * @param threads the registers of those threads whose the copy does not have
 * @param connections its established TCP connections
 * @param offsets where it is in regular files
 */
public record ProcessDelta(
    int pid, List<ThreadState> threads, List<TcpState> connections, List<Offset> offsets) {

  /** More than any process can have; a length beyond it is damage. */
  private static final int MOST = 1 << 28;

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
  }

  /** For the way to the other kernel. */
  public byte[] toBytes() {
    var bytes = new ByteArrayOutputStream();
    try (var out = new DataOutputStream(bytes)) {
      out.writeInt(pid);
      out.writeInt(threads.size());
      for (ThreadState thread : threads) {
        out.writeInt(thread.thread());
        write(out, thread.registers());
        write(out, thread.extended());
        out.writeLong(thread.signalMask());
      }
      out.writeInt(connections.size());
      for (TcpState connection : connections) {
        write(out, connection);
      }
      out.writeInt(offsets.size());
      for (Offset offset : offsets) {
        out.writeInt(offset.descriptor());
        out.writeLong(offset.position());
      }
    } catch (IOException e) {
      throw new IllegalStateException("memory does not fail to be written", e);
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, TcpState connection) throws IOException {
    out.writeInt(connection.descriptor());
    write(out, connection.local());
    write(out, connection.peer());
    out.writeInt(connection.options());
    out.writeInt(connection.windowScales());
    out.writeInt(connection.maximumSegment());
    out.writeInt(connection.timestamp());
    write(out, connection.window());
    out.writeInt(connection.receiveSequence());
    out.writeInt(connection.sendSequence());
    write(out, connection.received());
    write(out, connection.written());
    out.writeInt(connection.unsent());
  }

  private static void write(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  /**
   * Reads what came from the other kernel.
   *
   * @throws IOException if the bytes are not what {@link #toBytes} made
   */
  public static ProcessDelta fromBytes(byte[] bytes) throws IOException {
    try (var in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int pid = in.readInt();
      var threads = new ArrayList<ThreadState>();
      for (int left = count(in); left > 0; left--) {
        threads.add(new ThreadState(in.readInt(), read(in), read(in), in.readLong()));
      }
      var connections = new ArrayList<TcpState>();
      for (int left = count(in); left > 0; left--) {
        connections.add(connection(in));
      }
      var offsets = new ArrayList<Offset>();
      for (int left = count(in); left > 0; left--) {
        offsets.add(new Offset(in.readInt(), in.readLong()));
      }
      if (in.read() >= 0) {
        throw new IOException("bytes after the state of process " + pid);
      }
      return new ProcessDelta(pid, threads, connections, offsets);
    }
  }

  private static TcpState connection(DataInputStream in) throws IOException {
    return new TcpState(
        in.readInt(),
        read(in),
        read(in),
        in.readInt(),
        in.readInt(),
        in.readInt(),
        in.readInt(),
        read(in),
        in.readInt(),
        in.readInt(),
        read(in),
        read(in),
        in.readInt());
  }

  private static int count(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > MOST) {
      throw new IOException("a count of " + count);
    }
    return count;
  }

  private static byte[] read(DataInputStream in) throws IOException {
    int length = count(in);
    byte[] bytes = in.readNBytes(length);
    if (bytes.length != length) {
      throw new IOException("the state of a process is cut off");
    }
    return bytes;
  }

  @Override
  public String toString() {
    return "process %d: %d threads, connections %s, offsets %s"
        .formatted(pid, threads.size(), Arrays.toString(connections.toArray()), offsets);
  }
}
