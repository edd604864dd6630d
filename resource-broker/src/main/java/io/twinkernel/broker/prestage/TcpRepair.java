package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * The repair mode of TCP sockets (TCP_REPAIR, net/ipv4/tcp.c), by which a connection is taken out
 * of one kernel ({@link TcpCapture}) and put into another one ({@link TcpRestore}). While a socket
 * is in it, it sends nothing.
 */
final class TcpRepair {
  /** TCP_ESTABLISHED of include/net/tcp_states.h. */
  static final int ESTABLISHED = 1;

  /** TCP_FIN_WAIT2 of include/net/tcp_states.h. */
  static final int FIN_WAIT2 = 5;

  /** TCP_CLOSE_WAIT of include/net/tcp_states.h. */
  static final int CLOSE_WAIT = 8;

  /** TCP_LISTEN of include/net/tcp_states.h. */
  static final int LISTEN = 10;

  // struct tcp_info of include/uapi/linux/tcp.h: bit fields, which have no binding.
  private static final int INFO_SIZE = 32;
  private static final int INFO_STATE = 0;
  static final int INFO_OPTIONS = 5;
  static final int INFO_SCALES = 6;
  private static final int INFO_UNACKED = 24;

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private TcpRepair() {}

  /** Whether one end has said that it will send nothing more, and the other one has heard it. */
  static boolean isHalfClosed(int state) {
    return state == CLOSE_WAIT || state == FIN_WAIT2;
  }

  /** TCP_* of include/net/tcp_states.h. */
  static int state(Fd socket) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      return info(socket, arena).get(ValueLayout.JAVA_BYTE, INFO_STATE);
    }
  }

  /** Adds TCP_INFO; returns where it will be. */
  static int info(CallBatch batch, Fd socket) {
    return Sockets.read(batch, socket, Linux.IPPROTO_TCP(), Linux.TCP_INFO(), INFO_SIZE);
  }

  /** TCP_* of include/net/tcp_states.h, of a TCP_INFO. */
  static int state(ByteBuffer data, int info) {
    return data.get(info + INFO_STATE);
  }

  /** How many connections wait to be accepted, of the TCP_INFO of a socket that listens. */
  static int backlog(ByteBuffer data, int info) {
    return data.getInt(info + INFO_UNACKED);
  }

  private static MemorySegment info(Fd socket, Arena arena) throws SyscallException {
    MemorySegment info = arena.allocate(INFO_SIZE, Integer.BYTES);
    Sockets.read(socket, Linux.IPPROTO_TCP(), Linux.TCP_INFO(), info);
    return info;
  }

  /** Lets a captured connection go on here; see {@link #end}. */
  static void release(Fd socket) throws SyscallException {
    option(socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_OFF_NO_WP());
    Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_REUSEADDR(), 1);
  }

  /** Whether a connection is in repair mode. */
  static boolean isOn(Fd socket) throws SyscallException {
    return Sockets.option(socket, Linux.IPPROTO_TCP(), Linux.TCP_REPAIR()) != 0;
  }

  /**
   * Has who polls a connection look at it again: what was put into its queue in repair mode woke
   * nobody (tcp_set_rcvlowat).
   */
  static void wakeReaders(Fd socket) throws SyscallException {
    int low = Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT());
    Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT(), low);
  }

  /**
   * Adds the end of repair mode. The kernel forgets SO_REUSEADDR by that, which accepted sockets
   * have from who listened: a server that is started anew could not have its port before the last
   * connection of the one before it is forgotten, a minute after its end.
   */
  static void end(CallBatch batch, Fd socket) {
    option(batch, socket, Linux.TCP_REPAIR(), Linux.TCP_REPAIR_OFF_NO_WP());
    Sockets.option(batch, socket, Linux.SOL_SOCKET(), Linux.SO_REUSEADDR(), 1);
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

  /** Adds {@code setsockopt(2)} of an option of TCP. */
  static void option(CallBatch batch, Fd socket, int option, int value) {
    Sockets.option(batch, socket, Linux.IPPROTO_TCP(), option, value);
  }

  /** {@code setsockopt(2)} of an option of TCP. */
  static void option(Fd socket, int option, int value) throws SyscallException {
    Sockets.option(socket, Linux.IPPROTO_TCP(), option, value);
  }
}
