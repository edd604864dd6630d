package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.CallBatch;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Sockets;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The sockets behind those that Java gives to this process. */
final class OwnSockets {
  /** This process. */
  static final int PID = (int) ProcessHandle.current().pid();

  private OwnSockets() {}

  /** AF_* of a connection. */
  static int family(TcpState state) {
    return state.local().length == 28 ? Linux.AF_INET6() : Linux.AF_INET();
  }

  /** The accepted end of a client's connection, among all that this process has open. */
  static Fd find(Socket client) throws IOException {
    return find((InetSocketAddress) client.getLocalSocketAddress());
  }

  /** The socket of this process that is connected to an address. */
  static Fd find(InetSocketAddress peer) throws IOException {
    byte[] wanted = address(peer);
    try (Fd self = Processes.open(PID);
        var entries = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path entry : entries) {
        int number = Integer.parseInt(entry.getFileName().toString());
        try {
          Fd fd = Processes.descriptor(self, number);
          if (Arrays.equals(peer(fd), wanted)) {
            return fd;
          }
          fd.close();
        } catch (SyscallException closed) {
          assertThat(closed.call()).isEqualTo("pidfd_getfd");
        }
      }
    }
    throw new AssertionError("no socket is connected to " + peer);
  }

  private static byte[] peer(Fd fd) {
    try (Arena arena = Arena.ofConfined()) {
      var batch = new CallBatch(arena, 1, 256);
      int place = Sockets.peer(batch, fd);
      batch.run();
      byte[] peer = Sockets.address(batch, place);
      return switch (peer.length) {
        case 28 -> mapped(peer);
        case 16 -> key(ByteBuffer.wrap(peer).getShort(2), Arrays.copyOfRange(peer, 4, 8));
        default -> new byte[0];
      };
    } catch (SyscallException noConnection) {
      return new byte[0];
    }
  }

  /** Java's sockets are IPv6: of ::ffff:127.0.0.1 the last four are what we look for. */
  private static byte[] mapped(byte[] address) {
    boolean ipv4 = address[18] == -1 && address[19] == -1;
    return ipv4
        ? key(ByteBuffer.wrap(address).getShort(2), Arrays.copyOfRange(address, 20, 24))
        : key(ByteBuffer.wrap(address).getShort(2), Arrays.copyOfRange(address, 8, 24));
  }

  private static byte[] address(InetSocketAddress address) {
    return key((short) address.getPort(), address.getAddress().getAddress());
  }

  private static byte[] key(short port, byte[] address) {
    return ByteBuffer.allocate(2 + address.length).putShort(port).put(address).array();
  }
}
