package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * Which connections that are half closed the other kernel can have.
 *
 * @param any whether it can have some
 * @param local this machine's addresses, known before the gap: to find them out takes long
 */
public record HalfClosed(boolean any, Set<InetAddress> local) {
  /** It can have none. */
  public static final HalfClosed NONE = new HalfClosed(false, Set.of());

  /** Of a socket's address, and what says how long that is; in bytes. */
  private static final int MOST_ADDRESS = 144;

  /** Keeps the set from changing. */
  public HalfClosed {
    local = Set.copyOf(local);
  }

  /**
   * Those whose other ends are on other machines. On this one the other end would answer before it
   * is there that there is no such connection.
   */
  public static HalfClosed outside() throws IOException {
    var local = new HashSet<InetAddress>();
    for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      local.addAll(Collections.list(one.getInetAddresses()));
    }
    return new HalfClosed(true, local);
  }

  /** Whether it can have this one, which is in that state. */
  boolean has(Fd socket, int state) throws IOException {
    return any && is(socket, state) && isPeerOutside(socket);
  }

  /**
   * Whether a connection is half closed, all that came is read, and where the process has ended its
   * half it would still hear the peer.
   */
  static boolean is(Fd socket, int state) throws SyscallException {
    if (!TcpRepair.isHalfClosed(state) || Descriptors.queued(socket) > 0) {
      return false;
    }
    boolean deaf = socket.poll(Linux.POLLRDHUP(), Duration.ZERO) != 0;
    return deaf == (state == TcpRepair.CLOSE_WAIT);
  }

  private boolean isPeerOutside(Fd socket) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, 2, 2 * MOST_ADDRESS);
      int name = Sockets.name(batch, socket);
      int peer = Sockets.peer(batch, socket);
      batch.run();
      byte[] there = TcpSegment.address(Sockets.address(batch, peer));
      byte[] here = TcpSegment.address(Sockets.address(batch, name));
      InetAddress address = InetAddress.getByAddress(there);
      return !Arrays.equals(here, there)
          && !address.isLoopbackAddress()
          && !local.contains(address);
    } catch (SyscallException e) {
      // It has been reset just now.
      if (e.errno().equals(Errno.ENOTCONN)) {
        return false;
      }
      throw e;
    }
  }
}
