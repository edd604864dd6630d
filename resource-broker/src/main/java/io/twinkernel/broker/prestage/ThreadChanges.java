package io.twinkernel.broker.prestage;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.twinkernel.broker.process.ThreadAttributes;
import io.twinkernel.broker.process.ThreadAttributes.RestartableSequences;
import io.twinkernel.broker.process.ThreadAttributes.Scheduling;
import io.twinkernel.broker.process.ThreadAttributes.SignalStack;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which threads a process has that the copy that waits in the other kernel has not, and the other
 * way round.
 *
 * @param pid its number in both
 * @param ended numbers of those that it has no more
 * @param begun those that it has besides
 * @param others that both have, and that have set something since
 */
public record ThreadChanges(
    int pid, List<Integer> ended, List<ThreadAttributes> begun, List<ThreadAttributes> others) {

  /** Keeps the lists from changing. */
  public ThreadChanges {
    ended = List.copyOf(ended);
    begun = List.copyOf(begun);
    others = List.copyOf(others);
  }

  /** For the way to the other kernel. */
  public byte[] toBytes() throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeInt(pid);
    out.writeInt(ended.size());
    for (int thread : ended) {
      out.writeInt(thread);
    }
    write(out, begun);
    write(out, others);
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, List<ThreadAttributes> threads)
      throws IOException {
    out.writeInt(threads.size());
    for (ThreadAttributes thread : threads) {
      write(out, thread);
    }
  }

  private static void write(DataOutputStream out, ThreadAttributes thread) throws IOException {
    out.writeInt(thread.thread());
    byte[] name = thread.name().getBytes(UTF_8);
    out.writeInt(name.length);
    out.write(name);
    out.writeLong(thread.clearTid());
    out.writeLong(thread.stack().address());
    out.writeLong(thread.stack().bytes());
    out.writeInt(thread.stack().flags());
    out.writeLong(thread.robustList());
    out.writeLong(thread.robustLength());
    out.writeInt(thread.parentDeathSignal());
    out.writeInt(thread.scheduling().nice());
    out.writeInt(thread.scheduling().policy());
    out.writeInt(thread.scheduling().priority());
    out.writeBoolean(thread.restartable().isPresent());
    if (thread.restartable().isPresent()) {
      RestartableSequences area = thread.restartable().get();
      out.writeLong(area.address());
      out.writeInt(area.bytes());
      out.writeInt(area.signature());
    }
  }

  /**
   * Reads what came from the other kernel.
   *
   * @throws IOException if the bytes are not what {@link #toBytes} made
   */
  public static ThreadChanges fromBytes(byte[] bytes) throws IOException {
    var in = new DataInputStream(new ByteArrayInputStream(bytes));
    ThreadChanges changes;
    try {
      int pid = in.readInt();
      var ended = new ArrayList<Integer>();
      for (int left = count(in); left > 0; left--) {
        ended.add(in.readInt());
      }
      changes = new ThreadChanges(pid, ended, threads(in), threads(in));
    } catch (EOFException e) {
      throw new IOException("the threads of a process are cut off", e);
    }
    if (in.available() > 0) {
      throw new IOException("bytes after the threads of process " + changes.pid());
    }
    return changes;
  }

  private static List<ThreadAttributes> threads(DataInputStream in) throws IOException {
    var threads = new ArrayList<ThreadAttributes>();
    for (int left = count(in); left > 0; left--) {
      threads.add(thread(in));
    }
    return threads;
  }

  private static ThreadAttributes thread(DataInputStream in) throws IOException {
    int thread = in.readInt();
    byte[] name = new byte[count(in)];
    in.readFully(name);
    return new ThreadAttributes(
        thread,
        new String(name, UTF_8),
        in.readLong(),
        new SignalStack(in.readLong(), in.readLong(), in.readInt()),
        in.readLong(),
        in.readLong(),
        in.readInt(),
        new Scheduling(in.readInt(), in.readInt(), in.readInt()),
        in.readBoolean()
            ? Optional.of(new RestartableSequences(in.readLong(), in.readInt(), in.readInt()))
            : Optional.empty());
  }

  /** Of what takes at least a byte each; more than is left is damage. */
  private static int count(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > in.available()) {
      throw new IOException("a count of " + count + " where " + in.available() + " bytes are left");
    }
    return count;
  }
}
