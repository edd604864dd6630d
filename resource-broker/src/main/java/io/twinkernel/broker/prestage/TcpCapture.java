package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.tcp_repair_window;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Takes TCP connections out of a kernel, all at once, by their repair mode ({@link TcpRepair}). */
final class TcpCapture {
  // For each connection; of a socket's name there are 136 bytes, twice.
  private static final int CALLS = 16;
  private static final int BYTES = 1024;

  // The same for its queues, without what is in them.
  private static final int QUEUE_CALLS = 5;
  private static final int QUEUE_BYTES = 24;

  /** One more is asked for than is to be there, so that more would be noticed. */
  private static final int ONE_MORE = 1;

  /** So often connections are read of which a queue changes meanwhile. */
  private static final int MOST_TRIES = 5;

  /**
   * A socket to read.
   *
   * @param descriptor its number in its process
   * @param fd the same here
   */
  record Source(int descriptor, Fd fd) {}

  /** Where in a batch what is asked of a connection will be. */
  private record Places(
      int info,
      int window,
      int name,
      int peer,
      int segment,
      int timestamp,
      int written,
      int unsent,
      int received,
      int receiveSequence,
      int sendSequence) {}

  /** What waits in a queue: the call that reads it, and where that puts it. */
  private record Queue(int call, int place, int length) {
    static final Queue EMPTY = new Queue(-1, 0, 0);

    /** Whether as much was there when it was read as before. */
    boolean isWhole(CallBatch batch) {
      return length == 0 || batch.result(call) == length;
    }
  }

  private TcpCapture() {}

  /**
   * Reads all of connections. Nothing may arrive meanwhile. They stay in repair mode; {@link
   * TcpRepair#release} ends that.
   *
   * @throws IOException if one is neither established nor half closed; then none is in repair mode
   */
  static List<TcpState> of(List<Source> sources) throws IOException {
    try {
      Optional<List<TcpState>> states = read(sources);
      for (int tries = 1; states.isEmpty(); tries++) {
        if (tries == MOST_TRIES) {
          throw new IOException("what is queued in connections changes all the time");
        }
        states = read(sources);
      }
      return states.get();
    } catch (IOException e) {
      for (Source source : sources) {
        try {
          TcpRepair.release(source.fd());
        } catch (SyscallException stays) {
          e.addSuppressed(stays);
        }
      }
      throw e;
    }
  }

  /** Empty if something was acknowledged meanwhile: both ends may be here, and one was late. */
  private static Optional<List<TcpState>> read(List<Source> sources) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, sources.size() * CALLS, sources.size() * BYTES);
      var places = new ArrayList<Places>(sources.size());
      for (Source source : sources) {
        places.add(ask(batch, source.fd()));
      }
      batch.run();
      var data = batch.data();
      int queued = 0;
      for (int i = 0; i < sources.size(); i++) {
        Places at = places.get(i);
        int state = TcpRepair.state(data, at.info());
        if (state != TcpRepair.ESTABLISHED && !TcpRepair.isHalfClosed(state)) {
          throw new IOException(
              "connection " + sources.get(i).descriptor() + " is in TCP state " + state);
        }
        queued += room(data.getInt(at.received())) + room(data.getInt(at.written()));
      }
      int room = queued + sources.size() * QUEUE_BYTES;
      var queues = new CallBatch(arena, sources.size() * QUEUE_CALLS, room);
      var states = new ArrayList<TcpState>(sources.size());
      var received = new ArrayList<Queue>(sources.size());
      var written = new ArrayList<Queue>(sources.size());
      for (int i = 0; i < sources.size(); i++) {
        Fd fd = sources.get(i).fd();
        Places at = places.get(i);
        received.add(peek(queues, fd, Linux.TCP_RECV_QUEUE(), data.getInt(at.received())));
        written.add(peek(queues, fd, Linux.TCP_SEND_QUEUE(), data.getInt(at.written())));
        TcpRepair.option(queues, fd, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_NO_QUEUE());
      }
      queues.run();
      for (int i = 0; i < sources.size(); i++) {
        if (!received.get(i).isWhole(queues) || !written.get(i).isWhole(queues)) {
          return Optional.empty();
        }
        states.add(
            state(
                sources.get(i).descriptor(),
                batch,
                places.get(i),
                bytes(queues, received.get(i)),
                bytes(queues, written.get(i))));
      }
      return Optional.of(List.copyOf(states));
    }
  }

  private static Places ask(CallBatch batch, Fd socket) {
    TcpRepair.option(batch, socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_ON());
    int info = TcpRepair.info(batch, socket);
    int window = read(batch, socket, Linux.TCP_REPAIR_WINDOW(), (int) tcp_repair_window.sizeof());
    int name = Sockets.name(batch, socket);
    int peer = Sockets.peer(batch, socket);
    int segment = read(batch, socket, Linux.TCP_MAXSEG(), Integer.BYTES);
    int timestamp = read(batch, socket, Linux.TCP_TIMESTAMP(), Integer.BYTES);
    int written = socket.ioctl(batch, Linux.SIOCOUTQ(), Integer.BYTES);
    int unsent = socket.ioctl(batch, Linux.SIOCOUTQNSD(), Integer.BYTES);
    int received = socket.ioctl(batch, Linux.SIOCINQ(), Integer.BYTES);
    TcpRepair.option(batch, socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_RECV_QUEUE());
    int receiveSequence = read(batch, socket, Linux.TCP_QUEUE_SEQ(), Integer.BYTES);
    TcpRepair.option(batch, socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_SEND_QUEUE());
    int sendSequence = read(batch, socket, Linux.TCP_QUEUE_SEQ(), Integer.BYTES);
    return new Places(
        info,
        window,
        name,
        peer,
        segment,
        timestamp,
        written,
        unsent,
        received,
        receiveSequence,
        sendSequence);
  }

  private static int read(CallBatch batch, Fd socket, int option, int length) {
    return Sockets.read(batch, socket, Linux.IPPROTO_TCP(), option, length);
  }

  private static int room(int queued) {
    return queued == 0 ? 0 : queued + ONE_MORE + Long.BYTES;
  }

  private static Queue peek(CallBatch batch, Fd socket, int queue, int length) {
    if (length == 0) {
      return Queue.EMPTY;
    }
    TcpRepair.option(batch, socket, Linux.TCP_REPAIR_QUEUE(), queue);
    int place = batch.room(length + ONE_MORE);
    int flags = Linux.MSG_PEEK() | Linux.MSG_DONTWAIT();
    int call = Sockets.recv(batch, socket, place, length + ONE_MORE, flags);
    return new Queue(call, place, length);
  }

  private static byte[] bytes(CallBatch batch, Queue queue) {
    return queue.length() == 0 ? new byte[0] : batch.bytes(queue.place(), queue.length());
  }

  private static TcpState state(
      int descriptor, CallBatch batch, Places at, byte[] received, byte[] written) {
    var data = batch.data();
    int options = data.get(at.info() + TcpRepair.INFO_OPTIONS);
    int scales = data.get(at.info() + TcpRepair.INFO_SCALES);
    boolean timestamps = (options & Linux.TCPI_OPT_TIMESTAMPS()) != 0;
    return new TcpState(
        descriptor,
        TcpRepair.state(data, at.info()),
        Sockets.address(batch, at.name()),
        Sockets.address(batch, at.peer()),
        options,
        (scales & 0xf) | (scales >> 4 & 0xf) << 16,
        data.getInt(at.segment()),
        timestamps ? data.getInt(at.timestamp()) : 0,
        batch.bytes(at.window(), (int) tcp_repair_window.sizeof()),
        data.getInt(at.receiveSequence()),
        data.getInt(at.sendSequence()),
        received,
        written,
        data.getInt(at.unsent()));
  }
}
