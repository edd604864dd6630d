package io.twinkernel.broker.prestage;

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
 * What a process has open otherwise than the copy that waits in the other kernel.
 *
 * @param pid its number in both
 * @param closed descriptors that the copy closes first
 * @param connections that it gets sockets for, or that have other options now
 * @param epolls with all that each waits for; the copy has an epoll by that number or none
 * @param counters counts of eventfds
 * @param timers timerfds that it gets, which do not expire yet
 * @param diskFiles all that it has open on the disk that goes over; empty if the copy knows
 */
public record DescriptorChanges(
    int pid,
    List<Integer> closed,
    List<Connection> connections,
    List<Epoll> epolls,
    List<Counter> counters,
    List<Timer> timers,
    Optional<List<DiskFile>> diskFiles) {

  /**
   * A socket that becomes a connection at the switch.
   *
   * @param flags O_NONBLOCK and O_CLOEXEC
   * @param family AF_*
   * @param options those that a new socket has otherwise
   */
  record Connection(int descriptor, int flags, int family, List<SocketOption> options) {
    Connection {
      options = List.copyOf(options);
    }
  }

  /**
   * An epoll.
   *
   * @param flags O_CLOEXEC
   */
  record Epoll(int descriptor, int flags, List<EpollInterest> interests) {
    Epoll {
      interests = List.copyOf(interests);
    }
  }

  /** An eventfd's count. */
  record Counter(int descriptor, long count) {}

  /**
   * A timerfd.
   *
   * @param flags O_NONBLOCK and O_CLOEXEC
   * @param clock CLOCK_*
   */
  record Timer(int descriptor, int flags, int clock) {}

  /** Keeps the lists from changing. */
  public DescriptorChanges {
    closed = List.copyOf(closed);
    connections = List.copyOf(connections);
    epolls = List.copyOf(epolls);
    counters = List.copyOf(counters);
    timers = List.copyOf(timers);
    diskFiles = diskFiles.map(List::copyOf);
  }

  /** Of one that has on the disk what its copy knows, and no new timer. */
  DescriptorChanges(
      int pid,
      List<Integer> closed,
      List<Connection> connections,
      List<Epoll> epolls,
      List<Counter> counters) {
    this(pid, closed, connections, epolls, counters, List.of(), Optional.empty());
  }

  DescriptorChanges withDiskFiles(Optional<List<DiskFile>> files) {
    return new DescriptorChanges(pid, closed, connections, epolls, counters, timers, files);
  }

  /** Whether the copy has all of it. */
  public boolean isEmpty() {
    return closed.isEmpty()
        && connections.isEmpty()
        && epolls.isEmpty()
        && counters.isEmpty()
        && timers.isEmpty()
        && diskFiles.isEmpty();
  }

  /** For the way to the other kernel. */
  public byte[] toBytes() throws IOException {
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeInt(pid);
    out.writeInt(closed.size());
    for (int descriptor : closed) {
      out.writeInt(descriptor);
    }
    out.writeInt(connections.size());
    for (Connection connection : connections) {
      write(out, connection);
    }
    out.writeInt(epolls.size());
    for (Epoll epoll : epolls) {
      write(out, epoll);
    }
    out.writeInt(counters.size());
    for (Counter counter : counters) {
      out.writeInt(counter.descriptor());
      out.writeLong(counter.count());
    }
    out.writeInt(timers.size());
    for (Timer timer : timers) {
      out.writeInt(timer.descriptor());
      out.writeInt(timer.flags());
      out.writeInt(timer.clock());
    }
    out.writeInt(diskFiles.isPresent() ? diskFiles.get().size() + 1 : 0);
    if (diskFiles.isPresent()) {
      for (DiskFile file : diskFiles.get()) {
        file.write(out);
      }
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, Connection connection) throws IOException {
    out.writeInt(connection.descriptor());
    out.writeInt(connection.flags());
    out.writeInt(connection.family());
    out.writeInt(connection.options().size());
    for (SocketOption option : connection.options()) {
      out.writeInt(option.level());
      out.writeInt(option.name());
      out.writeInt(option.value().length);
      out.write(option.value());
    }
  }

  private static void write(DataOutputStream out, Epoll epoll) throws IOException {
    out.writeInt(epoll.descriptor());
    out.writeInt(epoll.flags());
    out.writeInt(epoll.interests().size());
    for (EpollInterest interest : epoll.interests()) {
      out.writeInt(interest.descriptor());
      out.writeInt(interest.events());
      out.writeLong(interest.data());
      out.writeLong(interest.inode());
    }
  }

  /**
   * Reads what came from the other kernel.
   *
   * @throws IOException if the bytes are not what {@link #toBytes} made
   */
  public static DescriptorChanges fromBytes(byte[] bytes) throws IOException {
    var in = new DataInputStream(new ByteArrayInputStream(bytes));
    DescriptorChanges changes;
    try {
      changes = read(in);
    } catch (EOFException e) {
      throw new IOException("what a process has open is cut off", e);
    }
    if (in.available() > 0) {
      throw new IOException("bytes after what process " + changes.pid() + " has open");
    }
    return changes;
  }

  private static DescriptorChanges read(DataInputStream in) throws IOException {
    int pid = in.readInt();
    var closed = new ArrayList<Integer>();
    for (int left = count(in); left > 0; left--) {
      closed.add(in.readInt());
    }
    var connections = new ArrayList<Connection>();
    for (int left = count(in); left > 0; left--) {
      connections.add(connection(in));
    }
    var epolls = new ArrayList<Epoll>();
    for (int left = count(in); left > 0; left--) {
      epolls.add(epoll(in));
    }
    var counters = new ArrayList<Counter>();
    for (int left = count(in); left > 0; left--) {
      counters.add(new Counter(in.readInt(), in.readLong()));
    }
    var timers = new ArrayList<Timer>();
    for (int left = count(in); left > 0; left--) {
      timers.add(new Timer(in.readInt(), in.readInt(), in.readInt()));
    }
    Optional<List<DiskFile>> files = Optional.empty();
    int more = in.readInt();
    if (more < 0 || more - 1 > in.available()) {
      throw new IOException("a count of " + more + " where " + in.available() + " bytes are left");
    }
    if (more > 0) {
      var all = new ArrayList<DiskFile>();
      for (int left = more - 1; left > 0; left--) {
        all.add(DiskFile.read(in));
      }
      files = Optional.of(all);
    }
    return new DescriptorChanges(pid, closed, connections, epolls, counters, timers, files);
  }

  private static Connection connection(DataInputStream in) throws IOException {
    int descriptor = in.readInt();
    int flags = in.readInt();
    int family = in.readInt();
    var options = new ArrayList<SocketOption>();
    for (int left = count(in); left > 0; left--) {
      int level = in.readInt();
      int name = in.readInt();
      byte[] value = new byte[count(in)];
      in.readFully(value);
      options.add(new SocketOption(level, name, value));
    }
    return new Connection(descriptor, flags, family, options);
  }

  private static Epoll epoll(DataInputStream in) throws IOException {
    int descriptor = in.readInt();
    int flags = in.readInt();
    var interests = new ArrayList<EpollInterest>();
    for (int left = count(in); left > 0; left--) {
      interests.add(new EpollInterest(in.readInt(), in.readInt(), in.readLong(), in.readLong()));
    }
    return new Epoll(descriptor, flags, interests);
  }

  /** Of what takes at least a byte each; more than is left is damage. */
  private static int count(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0 || count > in.available()) {
      throw new IOException("a count of " + count + " where " + in.available() + " bytes are left");
    }
    return count;
  }

  @Override
  public String toString() {
    return "process %d: %s closed, connections %s, epolls %s, counters %s, timers %s, on the disk %s"
        .formatted(
            pid,
            closed,
            connections.stream().map(Connection::descriptor).toList(),
            epolls.stream().map(Epoll::descriptor).toList(),
            counters,
            timers,
            diskFiles);
  }
}
