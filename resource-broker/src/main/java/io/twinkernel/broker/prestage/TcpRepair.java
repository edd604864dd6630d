package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.tcp_repair_opt;
import io.twinkernel.ffi.bindings.tcp_repair_window;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Takes a TCP connection out of one kernel and puts it into another one, by the repair mode of the
 * sockets (TCP_REPAIR, net/ipv4/tcp.c). While a socket is in it, it sends nothing.
 */
final class TcpRepair {
  /** TCP_ESTABLISHED of include/net/tcp_states.h. */
  static final int ESTABLISHED = 1;

  /** TCP_LISTEN of include/net/tcp_states.h. */
  static final int LISTEN = 10;

  // struct tcp_info of include/uapi/linux/tcp.h: bit fields, which have no binding.
  private static final int INFO_SIZE = 32;
  private static final int INFO_STATE = 0;
  private static final int INFO_OPTIONS = 5;
  private static final int INFO_SCALES = 6;
  private static final int INFO_UNACKED = 24;

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
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private TcpRepair() {}

  /** TCP_* of include/net/tcp_states.h. */
  static int state(Fd socket) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      return info(socket, arena).get(ValueLayout.JAVA_BYTE, INFO_STATE);
    }
  }

  /** How many connections wait to be accepted; the socket listens. */
  static int backlog(Fd socket) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      return info(socket, arena).get(INT, INFO_UNACKED);
    }
  }

  private static MemorySegment info(Fd socket, Arena arena) throws SyscallException {
    MemorySegment info = arena.allocate(INFO_SIZE, Integer.BYTES);
    Sockets.read(socket, Linux.IPPROTO_TCP(), Linux.TCP_INFO(), info);
    return info;
  }

  /**
   * Reads all of an established connection. Nothing may arrive meanwhile. The socket stays in
   * repair mode; {@link #release} ends that.
   *
   * @param descriptor the socket's number in its process
   * @throws IOException if it is not established
   */
  static TcpState capture(Fd socket, int descriptor) throws IOException {
    option(socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_ON());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(socket, arena);
      int state = info.get(ValueLayout.JAVA_BYTE, INFO_STATE);
      if (state != ESTABLISHED) {
        throw new IOException("connection " + descriptor + " is in TCP state " + state);
      }
      int options = info.get(ValueLayout.JAVA_BYTE, INFO_OPTIONS);
      int scales = info.get(ValueLayout.JAVA_BYTE, INFO_SCALES);
      MemorySegment window = arena.allocate(tcp_repair_window.layout());
      Sockets.read(socket, Linux.IPPROTO_TCP(), Linux.TCP_REPAIR_WINDOW(), window);
      int written = count(socket, Linux.SIOCOUTQ(), arena);
      int unsent = count(socket, Linux.SIOCOUTQNSD(), arena);
      int received = count(socket, Linux.SIOCINQ(), arena);
      option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_RECV_QUEUE());
      int receiveSequence = read(socket, Linux.TCP_QUEUE_SEQ());
      byte[] receivedBytes = peek(socket, received, arena);
      option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_SEND_QUEUE());
      int sendSequence = read(socket, Linux.TCP_QUEUE_SEQ());
      byte[] writtenBytes = peek(socket, written, arena);
      option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_NO_QUEUE());
      boolean timestamps = (options & Linux.TCPI_OPT_TIMESTAMPS()) != 0;
      return new TcpState(
          descriptor,
          Sockets.name(socket),
          Sockets.peer(socket),
          options,
          (scales & 0xf) | (scales >> 4 & 0xf) << 16,
          read(socket, Linux.TCP_MAXSEG()),
          timestamps ? read(socket, Linux.TCP_TIMESTAMP()) : 0,
          window.toArray(ValueLayout.JAVA_BYTE),
          receiveSequence,
          sendSequence,
          receivedBytes,
          writtenBytes,
          unsent);
    } catch (IOException e) {
      release(socket);
      throw e;
    }
  }

  /** Lets a captured connection go on here. */
  static void release(Fd socket) throws SyscallException {
    option(socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_OFF_NO_WP());
  }

  /**
   * Makes a socket the connection. It stays in repair mode, and sends nothing, until {@link
   * #resume}.
   *
   * @param socket of any state; what connection it was is forgotten
   */
  static void restore(Fd socket, TcpState state) throws IOException {
    option(socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_ON());
    // Also undoes the shutdown() of a socket that was restored closed.
    Sockets.connect(socket, new byte[FAMILY_UNSPECIFIED]);
    sequence(socket, Linux.TCP_RECV_QUEUE(), state.receiveSequence() - state.received().length);
    sequence(socket, Linux.TCP_SEND_QUEUE(), state.sendSequence() - state.written().length);
    if (!Arrays.equals(Sockets.name(socket), state.local())) {
      Sockets.bind(socket, state.local());
    }
    // The largest segment is worked out when it connects, and not again when it is repaired: it
    // would stay the least that every host must take (tcp_connect_init, tcp_repair_options_est).
    option(socket, Linux.TCP_MAXSEG(), Math.min(state.maximumSegment(), MOST_SEGMENT));
    Sockets.connect(socket, state.peer());
    option(socket, Linux.TCP_MAXSEG(), 0);
    try (Arena arena = Arena.ofConfined()) {
      Sockets.option(
          socket, Linux.IPPROTO_TCP(), Linux.TCP_REPAIR_OPTIONS(), options(state, arena));
      if ((state.options() & Linux.TCPI_OPT_TIMESTAMPS()) != 0) {
        option(socket, Linux.TCP_TIMESTAMP(), timestamp(state.options(), state.timestamp()));
      }
      option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_RECV_QUEUE());
      send(socket, state.received(), arena);
      // As sent: else the peer's next segment, which acknowledges it, would be thrown away.
      option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_SEND_QUEUE());
      send(socket, Arrays.copyOf(state.written(), sent(state)), arena);
      option(socket, Linux.TCP_REPAIR_QUEUE(), Linux.TCP_NO_QUEUE());
      Sockets.option(
          socket,
          Linux.IPPROTO_TCP(),
          Linux.TCP_REPAIR_WINDOW(),
          arena.allocateFrom(ValueLayout.JAVA_BYTE, state.window()));
    }
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

  /**
   * Lets a restored connection speak: sends what was not sent yet. What was is sent again if its
   * acknowledgment does not come. The network must be up.
   *
   * <p>What has arrived is not said by this: {@link TcpAcknowledgment}.
   */
  static void resume(Fd socket, TcpState state) throws IOException {
    option(socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_OFF_NO_WP());
    try (Arena arena = Arena.ofConfined()) {
      byte[] written = state.written();
      send(socket, Arrays.copyOfRange(written, sent(state), written.length), arena);
    }
    if (state.received().length > 0) {
      // What was put into the queue woke nobody who polls; this looks at it again
      // (tcp_set_rcvlowat).
      int low = Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT());
      Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT(), low);
    }
  }

  private static MemorySegment options(TcpState state, Arena arena) {
    MemorySegment options = arena.allocate(tcp_repair_opt.layout(), MOST_OPTIONS);
    int count = 0;
    if ((state.options() & Linux.TCPI_OPT_SACK()) != 0) {
      option(options, count++, OPTION_SACK, 0);
    }
    if ((state.options() & Linux.TCPI_OPT_WSCALE()) != 0) {
      option(options, count++, OPTION_WINDOW, state.windowScales());
    }
    if ((state.options() & Linux.TCPI_OPT_TIMESTAMPS()) != 0) {
      option(options, count++, OPTION_TIMESTAMP, 0);
    }
    option(options, count++, OPTION_MAXIMUM_SEGMENT, state.maximumSegment());
    return options.asSlice(0, count * tcp_repair_opt.layout().byteSize());
  }

  private static void option(MemorySegment options, int index, int code, int value) {
    long size = tcp_repair_opt.layout().byteSize();
    MemorySegment option = options.asSlice(index * size, size);
    tcp_repair_opt.opt_code(option, code);
    tcp_repair_opt.opt_val(option, value);
  }

  private static void sequence(Fd socket, int queue, int sequence) throws SyscallException {
    option(socket, Linux.TCP_REPAIR_QUEUE(), queue);
    option(socket, Linux.TCP_QUEUE_SEQ(), sequence);
  }

  private static void send(Fd socket, byte[] bytes, Arena arena) throws IOException {
    MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    for (long done = 0; done < bytes.length; ) {
      done += Sockets.send(socket, data.asSlice(done), Linux.MSG_DONTWAIT());
    }
  }

  /** One byte more is asked for than is to be there, so that more would be noticed. */
  private static byte[] peek(Fd socket, int count, Arena arena) throws IOException {
    if (count == 0) {
      return new byte[0];
    }
    MemorySegment bytes = arena.allocate(count + 1L);
    int read = Sockets.recv(socket, bytes, Linux.MSG_PEEK() | Linux.MSG_DONTWAIT());
    if (read != count) {
      throw new IOException("a queue of " + count + " bytes gave " + read);
    }
    return bytes.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE);
  }

  /** How many bytes wait to be read. */
  static int received(Fd socket) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      return count(socket, Linux.SIOCINQ(), arena);
    }
  }

  private static int count(Fd socket, int request, Arena arena) throws SyscallException {
    MemorySegment count = arena.allocate(INT);
    socket.ioctl(request, count);
    return count.get(INT, 0);
  }

  private static int read(Fd socket, int option) throws SyscallException {
    return Sockets.option(socket, Linux.IPPROTO_TCP(), option);
  }

  private static void option(Fd socket, int option, int value) throws SyscallException {
    Sockets.option(socket, Linux.IPPROTO_TCP(), option, value);
  }
}
