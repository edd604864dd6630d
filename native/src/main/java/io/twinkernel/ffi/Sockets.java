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

  /** {@code getsockname(2)}: the socket's own address, as a {@code sockaddr} of its family. */
  public static byte[] name(Fd socket) throws SyscallException {
    return address("getsockname", Linux.__NR_getsockname(), socket);
  }

  /** {@code getpeername(2)}: the peer's address, as a {@code sockaddr} of its family. */
  public static byte[] peer(Fd socket) throws SyscallException {
    return address("getpeername", Linux.__NR_getpeername(), socket);
  }

  /** {@code bind(2)} to what {@link #name} said. */
  public static void bind(Fd socket, byte[] address) throws SyscallException {
    use("bind", Linux.__NR_bind(), socket, address);
  }

  /** {@code connect(2)} to what {@link #peer} said. */
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

  private static byte[] address(String call, int number, Fd socket) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(LARGEST_ADDRESS + Integer.BYTES, Integer.BYTES);
      MemorySegment length = memory.asSlice(LARGEST_ADDRESS);
      length.set(ValueLayout.JAVA_INT, 0, LARGEST_ADDRESS);
      long result =
          NativeCall.system(
              number, socket.number(), memory.address(), length.address(), 0, 0, 0, memory);
      if (result < 0) {
        throw SyscallException.of(call, socket.label(), result);
      }
      return memory.asSlice(0, length.get(ValueLayout.JAVA_INT, 0)).toArray(ValueLayout.JAVA_BYTE);
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
   * {@code sendto(2)} of one datagram, again if a signal interrupts it.
   *
   * @param address as {@link #peer} says it
   */
  public static void sendTo(Fd socket, byte[] datagram, byte[] address) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(datagram.length + address.length, Long.BYTES);
      MemorySegment to = memory.asSlice(0, address.length);
      MemorySegment data = memory.asSlice(address.length);
      MemorySegment.copy(address, 0, to, ValueLayout.JAVA_BYTE, 0, address.length);
      MemorySegment.copy(datagram, 0, data, ValueLayout.JAVA_BYTE, 0, datagram.length);
      long result =
          NativeCall.uninterrupted(
              Linux.__NR_sendto(),
              socket.number(),
              data.address(),
              datagram.length,
              Linux.MSG_NOSIGNAL(),
              to.address(),
              address.length,
              memory);
      if (result < 0) {
        throw SyscallException.of(
            "sendto",
            socket.label()
                + ", "
                + datagram.length
                + " bytes, "
                + HexFormat.of().formatHex(address),
            result);
      }
    }
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
