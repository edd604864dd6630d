package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Sends packets as they are, and receives none (raw(7), IPPROTO_RAW). */
final class RawSockets implements AutoCloseable {
  private final Fd ipv4;
  private final @Nullable Fd ipv6;

  private RawSockets(Fd ipv4, @Nullable Fd ipv6) {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
  }

  static RawSockets open() throws IOException {
    Fd ipv4 = Sockets.socket(Linux.AF_INET(), Linux.SOCK_RAW(), Linux.IPPROTO_RAW());
    try {
      return new RawSockets(
          ipv4, Sockets.socket(Linux.AF_INET6(), Linux.SOCK_RAW(), Linux.IPPROTO_RAW()));
    } catch (SyscallException e) {
      // A kernel without IPv6 has no connections that would need it.
      return new RawSockets(ipv4, null);
    }
  }

  /** Adds it to a batch, for when the network is up. */
  void send(CallBatch batch, TcpSegment segment) throws IOException {
    Fd socket = socket(segment);
    Sockets.sendTo(batch, socket, segment.packet(), segment.destination());
  }

  private Fd socket(TcpSegment segment) throws IOException {
    Fd socket = segment.isIpv6() ? ipv6 : ipv4;
    if (socket == null) {
      throw new IOException("this kernel has no IPv6");
    }
    return socket;
  }

  @Override
  public void close() throws IOException {
    try (ipv4;
        ipv6) {
      // Both.
    }
  }
}
