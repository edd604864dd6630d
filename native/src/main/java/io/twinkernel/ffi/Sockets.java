package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.sockaddr_nl;
import io.twinkernel.ffi.bindings.sockaddr_un;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Sockets that {@code java.nio} does not reach: netlink, SOCK_SEQPACKET, those of other processes.
 */
public final class Sockets {
  /** Of {@code struct sockaddr_storage}. */
  private static final int LARGEST_ADDRESS = 128;

  private Sockets() {}

  /** Two ends of one connection. */
  public record Pair(Fd first, Fd second) {}

  /**
   * {@code socket(2)}, with SOCK_CLOEXEC.
   *
   * @param domain AF_*
   * @param type SOCK_*
   * @param protocol of the domain, such as NETLINK_ROUTE; 0: its usual one
   */
  public static Fd socket(int domain, int type, int protocol) throws SyscallException {
    long result =
        NativeCall.system(Linux.__NR_socket(), domain, type | Linux.SOCK_CLOEXEC(), protocol, 0);
    if (result < 0) {
      throw SyscallException.of("socket", domain + ", " + type + ", " + protocol, result);
    }
    return new Fd(result, "socket");
  }

  /** {@code socketpair(2)} of AF_UNIX, with SOCK_CLOEXEC. */
  public static Pair socketpair(int type) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pair = arena.allocate(ValueLayout.JAVA_INT, 2);
      long result =
          NativeCall.system(
              Linux.__NR_socketpair(),
              Linux.AF_UNIX(),
              type | Linux.SOCK_CLOEXEC(),
              0,
              pair.address(),
              0,
              0,
              pair);
      if (result < 0) {
        throw SyscallException.of("socketpair", "AF_UNIX, " + type, result);
      }
      return new Pair(
          new Fd(pair.getAtIndex(ValueLayout.JAVA_INT, 0), "socket pair, first"),
          new Fd(pair.getAtIndex(ValueLayout.JAVA_INT, 1), "socket pair, second"));
    }
  }

  /**
   * {@code connect(2)} to a socket in the file system.
   *
   * @throws SyscallException also, with ENAMETOOLONG, for a path of more than 107 bytes
   */
  public static void connectUnix(Fd socket, String path) throws SyscallException {
    byte[] name = path.getBytes(StandardCharsets.UTF_8);
    long limit = sockaddr_un.sun_path$layout().byteSize() - 1;
    if (name.length > limit) {
      throw new SyscallException("connect", path, Errno.ENAMETOOLONG);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(sockaddr_un.layout());
      sockaddr_un.sun_family(address, (short) Linux.AF_UNIX());
      MemorySegment.copy(
          name, 0, sockaddr_un.sun_path(address), ValueLayout.JAVA_BYTE, 0, name.length);
      long result = withAddress(Linux.__NR_connect(), socket, address);
      if (result < 0) {
        throw SyscallException.of("connect", path, result);
      }
    }
  }

  /** {@code bind(2)} of a netlink socket to a port that the kernel chooses; no groups joined. */
  public static void bindNetlink(Fd socket) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(sockaddr_nl.layout());
      sockaddr_nl.nl_family(address, (short) Linux.AF_NETLINK());
      long result = withAddress(Linux.__NR_bind(), socket, address);
      if (result < 0) {
        throw SyscallException.of("bind", socket.label() + ", AF_NETLINK", result);
      }
    }
  }

  private static long withAddress(int call, Fd socket, MemorySegment address) {
    return NativeCall.uninterrupted(
        call, socket.number(), address.address(), address.byteSize(), 0, 0, 0, address);
  }

  /**
   * {@code setsockopt(2)} of an int.
   *
   * @param level SOL_*
   * @param option of the level, such as SO_RCVBUF or NETLINK_EXT_ACK
   */
  public static void option(Fd socket, int level, int option, int value) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_INT, value);
      long result =
          NativeCall.system(
              Linux.__NR_setsockopt(),
              socket.number(),
              level,
              option,
              memory.address(),
              memory.byteSize(),
              0,
              memory);
      if (result < 0) {
        throw SyscallException.of(
            "setsockopt", socket.label() + ", " + level + ", " + option + ", " + value, result);
      }
    }
  }

  /**
   * {@code setsockopt(2)}.
   *
   * @param value as the option's own type
   */
  public static void option(Fd socket, int level, int option, MemorySegment value)
      throws SyscallException {
    long result =
        NativeCall.system(
            Linux.__NR_setsockopt(),
            socket.number(),
            level,
            option,
            value.address(),
            value.byteSize(),
            0,
            value);
    if (result < 0) {
      throw SyscallException.of(
          "setsockopt", socket.label() + ", " + level + ", " + option, result);
    }
  }

  /** Adds {@code setsockopt(2)} of an int. */
  public static void option(CallBatch batch, Fd socket, int level, int option, int value) {
    setOption(batch, socket, level, option, batch.roomOf(value), Integer.BYTES);
  }

  /** Adds {@code setsockopt(2)}. */
  public static void option(CallBatch batch, Fd socket, int level, int option, byte[] value) {
    setOption(batch, socket, level, option, batch.room(value), value.length);
  }

  /**
   * Adds {@code setsockopt(2)} to what is at a place when it is made, such as what {@link
   * #read(CallBatch, Fd, int, int, int)} has put there.
   */
  public static void setOption(
      CallBatch batch, Fd socket, int level, int option, int place, int length) {
    batch.add(
        "setsockopt",
        socket.label(),
        Linux.__NR_setsockopt(),
        socket.number(),
        level,
        option,
        batch.address(place),
        length,
        0);
  }

  /** {@code getsockopt(2)} of an int. */
  public static int option(Fd socket, int level, int option) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      read(socket, level, option, value);
      return value.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /**
   * {@code getsockopt(2)}.
   *
   * @param value receives it
   * @return how many bytes of {@code value} were written
   */
  public static int read(Fd socket, int level, int option, MemorySegment value)
      throws SyscallException {
    return withLength("getsockopt", Linux.__NR_getsockopt(), socket, level, option, value);
  }

  /**
   * Adds {@code getsockopt(2)}.
   *
   * @param length of the value at most
   * @return where it will be
   */
  public static int read(CallBatch batch, Fd socket, int level, int option, int length) {
    int place = batch.room(length);
    batch.add(
        "getsockopt",
        socket.label(),
        Linux.__NR_getsockopt(),
        socket.number(),
        level,
        option,
        batch.address(place),
        batch.address(batch.roomOf(length)),
        0);
    return place;
  }

  /** Adds {@code getsockname(2)}; returns the place that {@link #address} is given. */
  public static int name(CallBatch batch, Fd socket) {
    return address("getsockname", Linux.__NR_getsockname(), batch, socket);
  }

  /** Adds {@code getpeername(2)}; returns the place that {@link #address} is given. */
  public static int peer(CallBatch batch, Fd socket) {
    return address("getpeername", Linux.__NR_getpeername(), batch, socket);
  }

  private static int address(String call, int number, CallBatch batch, Fd socket) {
    int length = batch.roomOf(LARGEST_ADDRESS);
    long address = batch.address(batch.room(LARGEST_ADDRESS));
    batch.add(
        call, socket.label(), number, socket.number(), address, batch.address(length), 0, 0, 0);
    return length;
  }

  /** The {@code sockaddr} that is at a place of a batch that was run. */
  public static byte[] address(CallBatch batch, int place) {
    return batch.bytes(place + Long.BYTES, batch.data().getInt(place));
  }

  /** Adds {@code bind(2)}. */
  public static void bind(CallBatch batch, Fd socket, byte[] address) {
    use("bind", Linux.__NR_bind(), batch, socket, address);
  }

  /** Adds {@code connect(2)}. */
  public static void connect(CallBatch batch, Fd socket, byte[] address) {
    use("connect", Linux.__NR_connect(), batch, socket, address);
  }

  /**
   * Adds {@code shutdown(2)}.
   *
   * @param how SHUT_*
   */
  public static void shutdown(CallBatch batch, Fd socket, int how) {
    int number = Linux.__NR_shutdown();
    batch.add("shutdown", socket.label(), number, socket.number(), how, 0, 0, 0, 0);
  }

  private static void use(String call, int number, CallBatch batch, Fd socket, byte[] address) {
    long memory = batch.address(batch.room(address));
    batch.add(call, socket.label(), number, socket.number(), memory, address.length, 0, 0, 0);
  }

  /** {@code connect(2)} to a {@code sockaddr}. */
  public static void connect(Fd socket, byte[] address) throws SyscallException {
    use("connect", Linux.__NR_connect(), socket, address);
  }

  private static void use(String call, int number, Fd socket, byte[] address)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_BYTE, address);
      long result = withAddress(number, socket, memory);
      if (result < 0) {
        throw SyscallException.of(
            call, socket.label() + ", " + HexFormat.of().formatHex(address), result);
      }
    }
  }

  private static int withLength(
      String call, int number, Fd socket, int level, int option, MemorySegment value)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment length =
          arena.allocateFrom(ValueLayout.JAVA_INT, Math.toIntExact(value.byteSize()));
      long result =
          NativeCall.system(
              number, socket.number(), level, option, value.address(), length.address(), 0, value);
      if (result < 0) {
        throw SyscallException.of(call, socket.label() + ", " + level + ", " + option, result);
      }
      return length.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /**
   * {@code send(2)}, again if a signal interrupts it. A peer that is gone gives EPIPE, never a
   * signal.
   *
   * @param flags MSG_*
   * @return how many bytes were sent
   */
  public static int send(Fd socket, MemorySegment data, int flags) throws SyscallException {
    int all = flags | Linux.MSG_NOSIGNAL();
    return transfer("send", Linux.__NR_sendto(), socket, data, all);
  }

  /**
   * Adds {@code send(2)}, which never gives a signal.
   *
   * @param flags MSG_*
   * @return which call it is; its result is how many bytes were sent
   */
  public static int send(CallBatch batch, Fd socket, byte[] data, int flags) {
    return batch.add(
        "send",
        socket.label(),
        Linux.__NR_sendto(),
        socket.number(),
        batch.address(batch.room(data)),
        data.length,
        flags | Linux.MSG_NOSIGNAL(),
        0,
        0);
  }

  /**
   * Adds {@code recv(2)}.
   *
   * @param place receives the data
   * @param flags MSG_*
   * @return which call it is; its result is how many bytes were received
   */
  public static int recv(CallBatch batch, Fd socket, int place, int length, int flags) {
    return batch.add(
        "recv",
        socket.label(),
        Linux.__NR_recvfrom(),
        socket.number(),
        batch.address(place),
        length,
        flags,
        0,
        0);
  }

  /**
   * Adds {@code sendto(2)} of one datagram.
   *
   * @param address a {@code sockaddr}
   */
  public static void sendTo(CallBatch batch, Fd socket, byte[] datagram, byte[] address) {
    batch.add(
        "sendto",
        socket.label(),
        Linux.__NR_sendto(),
        socket.number(),
        batch.address(batch.room(datagram)),
        datagram.length,
        Linux.MSG_NOSIGNAL(),
        batch.address(batch.room(address)),
        address.length);
  }

  /**
   * {@code recv(2)}, again if a signal interrupts it.
   *
   * @param flags MSG_*; with MSG_TRUNC the result is the message's size even if it did not fit
   * @return how many bytes were received; 0: the peer has closed
   */
  public static int recv(Fd socket, MemorySegment buffer, int flags) throws SyscallException {
    return transfer("recv", Linux.__NR_recvfrom(), socket, buffer, flags);
  }

  private static int transfer(
      String call, int systemCall, Fd socket, MemorySegment memory, int flags)
      throws SyscallException {
    long size = memory.byteSize();
    long result =
        NativeCall.uninterrupted(
            systemCall, socket.number(), memory.address(), size, flags, 0, 0, memory);
    if (result < 0) {
      throw SyscallException.of(call, socket.label() + ", " + size + " bytes", result);
    }
    return (int) result;
  }
}
