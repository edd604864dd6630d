package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.sockaddr_nl;
import io.twinkernel.ffi.bindings.sockaddr_un;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Sockets of the families that {@code java.nio} does not reach: netlink and SOCK_SEQPACKET. */
public final class Sockets {
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
