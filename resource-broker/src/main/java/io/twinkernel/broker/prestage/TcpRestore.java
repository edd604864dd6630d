package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.tcp_repair_opt;
import io.twinkernel.ffi.bindings.tcp_repair_window;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** Puts TCP connections into a kernel, all at once, by their repair mode ({@link TcpRepair}). */
final class TcpRestore {
  // For each connection, without what is in its queues.
  private static final int CALLS = 20;
  private static final int BYTES = 1024;

  /** To close half of one, what it is told to do. */
  private static final int HALF_CALLS = 4;

  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** In nanoseconds. */
  private static final long A_MOMENT = 50_000;

  // TCPOPT_* of include/net/tcp.h.
  private static final int OPTION_MAXIMUM_SEGMENT = 2;
  private static final int OPTION_WINDOW = 3;
  private static final int OPTION_SACK = 4;
  private static final int OPTION_TIMESTAMP = 8;
  private static final int MOST_OPTIONS = 4;

  /** TCPI_OPT_USEC_TS of include/uapi/linux/tcp.h, from 6.7 on. */
  private static final int OPTION_MICROSECONDS = 64;

  /** MAX_TCP_WINDOW of include/net/tcp.h: more than that cannot be asked for. */
  private static final int MOST_SEGMENT = 32767;

  private static final int FAMILY_UNSPECIFIED = 16;

  /**
   * A socket that becomes a connection.
   *
   * @param fd from {@link #clear}
   * @param bound the address that it has then
   * @param state what it becomes
   */
  record Target(Fd fd, byte[] bound, TcpState state) {}

  private TcpRestore() {}

  /**
   * Makes a socket one that {@link #restore} can use, in repair mode. What connection it was is
   * forgotten, without a word to the peer.
   *
   * @return the address that it has now
   */
  static byte[] clear(Fd socket) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, 3, 256);
      TcpRepair.option(batch, socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_ON());
      // Also undoes the shutdown() of a socket that was restored closed.
      Sockets.connect(batch, socket, new byte[FAMILY_UNSPECIFIED]);
      int name = Sockets.name(batch, socket);
      batch.run();
      return Sockets.address(batch, name);
    }
  }

  /**
   * Makes sockets the connections. They stay in repair mode, and send nothing, until what {@link
   * #resumption} prepares is run.
   */
  static void restore(List<Target> targets, RawSockets raw) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, targets.size() * CALLS, room(targets));
      var sent = new ArrayList<Sent>();
      for (Target target : targets) {
        restore(batch, target, sent);
      }
      new Prepared(batch, sent, arena).run();
    }
    for (Target target : targets) {
      if (target.state().isHalfClosed()) {
        closeHalf(target, raw);
      }
    }
  }

  /**
   * Repair mode makes established connections; one that was half closed gets there as it did: its
   * process has ended its half, of which the peer is told nothing, and the peer's last segment
   * comes in. What the socket says to that goes nowhere: the network is not up yet.
   */
  private static void closeHalf(Target target, RawSockets raw) throws IOException {
    Fd socket = target.fd();
    TcpState state = target.state();
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, HALF_CALLS, BYTES);
      if (state.state() == TcpRepair.FIN_WAIT2) {
        queue(batch, socket, Linux.TCP_SEND_QUEUE());
        Sockets.shutdown(batch, socket, Linux.SHUT_WR());
        queue(batch, socket, Linux.TCP_NO_QUEUE());
      }
      raw.send(batch, TcpSegment.ofPeer(state));
      batch.run();
    }
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    int now = TcpRepair.state(socket);
    while (now != state.state()) {
      // It has come in already, but where another thread has been given that to do.
      if (System.nanoTime() > deadline) {
        throw new IOException(state + " is in TCP state " + now + ", not " + state.state());
      }
      LockSupport.parkNanos(A_MOMENT);
      now = TcpRepair.state(socket);
    }
  }

  private static int room(List<Target> targets) {
    int room = targets.size() * BYTES;
    for (Target target : targets) {
      room += target.state().received().length + target.state().written().length;
    }
    return room;
  }

  private static void restore(CallBatch batch, Target target, List<Sent> sent) throws IOException {
    Fd socket = target.fd();
    TcpState state = target.state();
    byte[] received = state.received();
    byte[] written = Arrays.copyOf(state.written(), sent(state));
    queue(batch, socket, Linux.TCP_RECV_QUEUE());
    option(batch, socket, Linux.TCP_QUEUE_SEQ(), state.nextByte() - received.length);
    queue(batch, socket, Linux.TCP_SEND_QUEUE());
    option(batch, socket, Linux.TCP_QUEUE_SEQ(), state.lastWritten() - state.written().length);
    if (!Arrays.equals(target.bound(), state.local())) {
      Sockets.bind(batch, socket, state.local());
    }
    // The largest segment is worked out when it connects, and not again when it is repaired: it
    // would stay the least that every host must take (tcp_connect_init, tcp_repair_options_est).
    option(batch, socket, Linux.TCP_MAXSEG(), Math.min(state.maximumSegment(), MOST_SEGMENT));
    Sockets.connect(batch, socket, state.peer());
    option(batch, socket, Linux.TCP_MAXSEG(), 0);
    Sockets.option(batch, socket, Linux.IPPROTO_TCP(), Linux.TCP_REPAIR_OPTIONS(), options(state));
    if ((state.options() & Linux.TCPI_OPT_TIMESTAMPS()) != 0) {
      int time = timestamp(state.options(), state.timestamp());
      option(batch, socket, Linux.TCP_TIMESTAMP(), time);
    }
    // As sent: else the peer's next segment, which acknowledges it, would be thrown away.
    send(batch, socket, Linux.TCP_SEND_QUEUE(), written, sent);
    send(batch, socket, Linux.TCP_RECV_QUEUE(), received, sent);
    queue(batch, socket, Linux.TCP_NO_QUEUE());
    Sockets.option(batch, socket, Linux.IPPROTO_TCP(), Linux.TCP_REPAIR_WINDOW(), window(state));
  }

  /** What was acknowledged is not more than what came, also where the end is still to come. */
  static byte[] window(TcpState state) {
    if (state.state() != TcpRepair.CLOSE_WAIT) {
      return state.window();
    }
    int acknowledged = (int) tcp_repair_window.rcv_wup$offset();
    ByteBuffer fields = ByteBuffer.wrap(state.window().clone()).order(ByteOrder.nativeOrder());
    if (fields.getInt(acknowledged) - state.nextByte() > 0) {
      int room = (int) tcp_repair_window.rcv_wnd$offset();
      // What it may send next stays what it was.
      fields.putInt(room, fields.getInt(room) + fields.getInt(acknowledged) - state.nextByte());
      fields.putInt(acknowledged, state.nextByte());
    }
    return fields.array();
  }

  /** From 6.7 on the lowest bit says whether the clock counts microseconds. */
  static int timestamp(int options, int time) {
    return (options & OPTION_MICROSECONDS) != 0 ? time | 1 : time + (time & 1);
  }

  private static int sent(TcpState state) throws IOException {
    int sent = state.written().length - state.unsent();
    if (sent < 0 || sent > state.written().length) {
      throw new IOException(state + ", of which " + state.unsent() + " are said to be unsent");
    }
    return sent;
  }

  private static byte[] options(TcpState state) {
    var options =
        ByteBuffer.allocate(MOST_OPTIONS * (int) tcp_repair_opt.sizeof())
            .order(ByteOrder.nativeOrder());
    if ((state.options() & Linux.TCPI_OPT_SACK()) != 0) {
      options.putInt(OPTION_SACK).putInt(0);
    }
    if ((state.options() & Linux.TCPI_OPT_WSCALE()) != 0) {
      options.putInt(OPTION_WINDOW).putInt(state.windowScales());
    }
    if ((state.options() & Linux.TCPI_OPT_TIMESTAMPS()) != 0) {
      options.putInt(OPTION_TIMESTAMP).putInt(0);
    }
    options.putInt(OPTION_MAXIMUM_SEGMENT).putInt(state.maximumSegment());
    return Arrays.copyOf(options.array(), options.position());
  }

  /**
   * Bytes that a call of a batch was to send.
   *
   * @param queue TCP_*_QUEUE that they go into; TCP_NO_QUEUE: to the peer
   */
  record Sent(int call, Fd socket, int queue, byte[] bytes) {
    /** A queue takes as much as it has room for; what it has left over is put into it here. */
    void rest(CallBatch batch, Arena arena) throws IOException {
      long done = batch.result(call);
      if (done == bytes.length) {
        return;
      }
      MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      if (queue != Linux.TCP_NO_QUEUE()) {
        TcpRepair.option(socket, Linux.TCP_REPAIR_QUEUE(), queue);
      }
      while (done < bytes.length) {
        done += Sockets.send(socket, data.asSlice(done), Linux.MSG_DONTWAIT());
      }
      if (queue != Linux.TCP_NO_QUEUE()) {
        TcpRepair.option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_NO_QUEUE());
      }
    }
  }

  /** Into a queue: nothing of it goes to the peer. */
  private static void send(CallBatch batch, Fd socket, int queue, byte[] bytes, List<Sent> sent) {
    if (bytes.length > 0) {
      queue(batch, socket, queue);
      int call = Sockets.send(batch, socket, bytes, Linux.MSG_DONTWAIT());
      sent.add(new Sent(call, socket, queue, bytes));
    }
  }

  /** Calls that were said, and what some of them are to send. */
  record Prepared(CallBatch batch, List<Sent> sent, Arena arena) {
    /** Makes them, and sends all. */
    void run() throws IOException {
      batch.run();
      for (Sent one : sent) {
        one.rest(batch, arena);
      }
    }
  }

  /**
   * Prepares to let restored connections speak: to send what was not sent yet, and to tell the
   * peers what had arrived. What was sent is sent again if its acknowledgment does not come. The
   * network must be up when it is run.
   *
   * @param arena lasts until that is done
   */
  static Prepared resumption(Arena arena, List<Target> targets, RawSockets raw) throws IOException {
    var batch = new CallBatch(arena, targets.size() * CALLS, room(targets));
    var sent = new ArrayList<Sent>();
    for (Target target : targets) {
      Optional<TcpSegment> owed = TcpSegment.owed(target.state());
      if (owed.isPresent()) {
        raw.send(batch, owed.get());
      }
      resume(batch, target.fd(), target.state(), sent);
    }
    return new Prepared(batch, List.copyOf(sent), arena);
  }

  private static void resume(CallBatch batch, Fd socket, TcpState state, List<Sent> sent)
      throws IOException {
    TcpRepair.end(batch, socket);
    byte[] unsent = Arrays.copyOfRange(state.written(), sent(state), state.written().length);
    if (unsent.length > 0) {
      int call = Sockets.send(batch, socket, unsent, Linux.MSG_DONTWAIT());
      sent.add(new Sent(call, socket, Linux.TCP_NO_QUEUE(), unsent));
    }
    if (state.received().length > 0) {
      // What was put into the queue woke nobody who polls; this looks at it again
      // (tcp_set_rcvlowat).
      int low = Sockets.read(batch, socket, Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT(), Integer.BYTES);
      Sockets.setOption(batch, socket, Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT(), low, Integer.BYTES);
    }
  }

  private static void queue(CallBatch batch, Fd socket, int queue) {
    option(batch, socket, Linux.TCP_REPAIR_QUEUE(), queue);
  }

  private static void option(CallBatch batch, Fd socket, int option, int value) {
    TcpRepair.option(batch, socket, option, value);
  }
}
