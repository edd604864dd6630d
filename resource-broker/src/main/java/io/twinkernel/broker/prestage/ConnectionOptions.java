package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The options that a process gives its TCP connections, or that these have from the socket that
 * accepted them. What a new socket has anyway is not told, so that the other kernel's own defaults
 * hold there. SO_REUSEADDR is not among them: repair mode has its own use for it ({@link
 * TcpRepair#end}).
 */
final class ConnectionOptions {
  private static final int INT = Integer.BYTES;
  private static final int TIME = 16;
  private static final int LINGER = 8;
  private static final int CONGESTION_NAME = 16;

  /** IFNAMSIZ and TCP_ULP_NAME_MAX. */
  private static final int NAME = 16;

  /** Of TCP: both are of the moment, and what they say of it goes over otherwise. */
  private static final int[] MOMENTARY = {Linux.TCP_QUICKACK()};

  // SOCK_SNDBUF_LOCK and SOCK_RCVBUF_LOCK of include/uapi/linux/socket.h.
  private static final int SEND_LOCKED = 1;
  private static final int RECEIVE_LOCKED = 2;

  private record Known(int level, int name, int bytes) {}

  private static final List<Known> EVERY =
      List.of(
          new Known(Linux.SOL_SOCKET(), Linux.SO_KEEPALIVE(), INT),
          new Known(Linux.SOL_SOCKET(), Linux.SO_LINGER(), LINGER),
          new Known(Linux.SOL_SOCKET(), Linux.SO_MARK(), INT),
          new Known(Linux.SOL_SOCKET(), Linux.SO_REUSEPORT(), INT),
          new Known(Linux.SOL_SOCKET(), Linux.SO_RCVLOWAT(), INT),
          new Known(Linux.SOL_SOCKET(), Linux.SO_RCVTIMEO_OLD(), TIME),
          new Known(Linux.SOL_SOCKET(), Linux.SO_SNDTIMEO_OLD(), TIME),
          new Known(Linux.SOL_SOCKET(), Linux.SO_OOBINLINE(), INT),
          new Known(Linux.SOL_SOCKET(), Linux.SO_DONTROUTE(), INT),
          new Known(Linux.SOL_SOCKET(), Linux.SO_ZEROCOPY(), INT),
          new Known(Linux.SOL_SOCKET(), Linux.SO_MAX_PACING_RATE(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_CONGESTION(), CONGESTION_NAME),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_NODELAY(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_CORK(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_KEEPIDLE(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_KEEPINTVL(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_KEEPCNT(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_LINGER2(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_USER_TIMEOUT(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_NOTSENT_LOWAT(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_THIN_LINEAR_TIMEOUTS(), INT),
          new Known(Linux.IPPROTO_TCP(), Linux.TCP_INQ(), INT),
          new Known(Linux.IPPROTO_IP(), Linux.IP_TOS(), INT),
          new Known(Linux.IPPROTO_IP(), Linux.IP_TTL(), INT),
          new Known(Linux.IPPROTO_IP(), Linux.IP_MTU_DISCOVER(), INT),
          new Known(Linux.IPPROTO_IP(), Linux.IP_FREEBIND(), INT),
          new Known(Linux.IPPROTO_IP(), Linux.IP_TRANSPARENT(), INT),
          // IP_TOS sets it, too.
          new Known(Linux.SOL_SOCKET(), Linux.SO_PRIORITY(), INT));

  private static final List<Known> OF_IPV6 =
      List.of(
          new Known(Linux.IPPROTO_IPV6(), Linux.IPV6_TCLASS(), INT),
          new Known(Linux.IPPROTO_IPV6(), Linux.IPV6_UNICAST_HOPS(), INT),
          new Known(Linux.IPPROTO_IPV6(), Linux.IPV6_MTU_DISCOVER(), INT));

  /** What a new socket of this kernel has, by its family. */
  private static final Map<Integer, List<SocketOption>> DEFAULTS = new HashMap<>();

  private ConnectionOptions() {}

  /** Whether a process that sets an option leaves its connection one that can be told of. */
  static boolean isKnown(int level, int name) {
    for (Known known : EVERY) {
      if (known.level() == level && known.name() == name) {
        return true;
      }
    }
    for (Known known : OF_IPV6) {
      if (known.level() == level && known.name() == name) {
        return true;
      }
    }
    return level == Linux.IPPROTO_TCP()
        && Arrays.stream(MOMENTARY).anyMatch(momentary -> momentary == name);
  }

  /**
   * Those that a connection has otherwise than a new socket.
   *
   * @param all those that it has as a new socket has them, too: one that the copy has may have been
   *     told of others before
   * @throws Unstageable if it has one that is not carried over
   */
  static List<SocketOption> of(Fd socket, int family, boolean all) throws IOException {
    List<SocketOption> usual = usual(family);
    List<SocketOption> now = read(socket, family);
    var found = new ArrayList<SocketOption>();
    for (int i = 0; i < now.size(); i++) {
      if (all || !now.get(i).equals(usual.get(i))) {
        found.add(now.get(i));
      }
    }
    buffers(socket, found);
    refuse(socket);
    return List.copyOf(found);
  }

  /** What has a name if there is any. */
  private static void refuse(Fd socket) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, 2, 2 * (NAME + Long.BYTES));
      int device = Sockets.read(batch, socket, Linux.SOL_SOCKET(), Linux.SO_BINDTODEVICE(), NAME);
      int protocol = Sockets.read(batch, socket, Linux.IPPROTO_TCP(), Linux.TCP_ULP(), NAME);
      batch.run();
      if (batch.data().get(device) != 0) {
        throw new Unstageable("a connection is bound to an interface");
      }
      if (batch.data().get(protocol) != 0) {
        throw new Unstageable("the kernel does the encryption of a connection, say (TCP_ULP)");
      }
    }
  }

  private static List<SocketOption> usual(int family) throws IOException {
    synchronized (DEFAULTS) {
      List<SocketOption> usual = DEFAULTS.get(family);
      if (usual == null) {
        try (Fd socket = Sockets.socket(family, Linux.SOCK_STREAM(), 0)) {
          usual = read(socket, family);
        }
        DEFAULTS.put(family, usual);
      }
      return usual;
    }
  }

  private static List<SocketOption> read(Fd socket, int family) throws IOException {
    var asked = new ArrayList<>(EVERY);
    if (family == Linux.AF_INET6()) {
      asked.addAll(OF_IPV6);
    }
    try (Arena arena = Arena.ofConfined()) {
      // For each, its value and the length of that.
      var batch = new CallBatch(arena, asked.size(), asked.size() * (TIME + Long.BYTES));
      var places = new ArrayList<Integer>(asked.size());
      for (Known known : asked) {
        places.add(Sockets.read(batch, socket, known.level(), known.name(), known.bytes()));
      }
      batch.run();
      var values = new ArrayList<SocketOption>(asked.size());
      for (int i = 0; i < asked.size(); i++) {
        Known known = asked.get(i);
        byte[] value = batch.bytes(places.get(i), known.bytes());
        values.add(new SocketOption(known.level(), known.name(), value));
      }
      return values;
    }
  }

  /** Sizes that the kernel does not choose itself any more; before 5.17 it does not tell. */
  private static void buffers(Fd socket, List<SocketOption> found) throws IOException {
    int locked;
    try {
      locked = Sockets.option(socket, Linux.SOL_SOCKET(), Linux.SO_BUF_LOCK());
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.ENOPROTOOPT)) {
        return;
      }
      throw e;
    }
    if ((locked & SEND_LOCKED) != 0) {
      found.add(buffer(socket, Linux.SO_SNDBUF(), Linux.SO_SNDBUFFORCE()));
    }
    if ((locked & RECEIVE_LOCKED) != 0) {
      found.add(buffer(socket, Linux.SO_RCVBUF(), Linux.SO_RCVBUFFORCE()));
    }
  }

  /** The kernel makes it twice what it is told (sock_setsockopt(), net/core/sock.c). */
  private static SocketOption buffer(Fd socket, int read, int write) throws IOException {
    int bytes = Sockets.option(socket, Linux.SOL_SOCKET(), read) / 2;
    return new SocketOption(Linux.SOL_SOCKET(), write, ints(bytes));
  }

  private static byte[] ints(int value) {
    return java.nio.ByteBuffer.allocate(INT)
        .order(java.nio.ByteOrder.nativeOrder())
        .putInt(value)
        .array();
  }

  /** Gives a socket options. */
  static void set(Fd socket, List<SocketOption> options) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, options.size(), options.size() * TIME);
      for (SocketOption option : options) {
        Sockets.option(batch, socket, option.level(), option.name(), option.value());
      }
      batch.run();
    }
  }
}
