package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Ptrace;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** On a shell, which could be a fork for all that it has open. */
final class ForkDescriptorsTest {
  // Of arch/x86/entry/syscalls/syscall_64.tbl.
  private static final int CONNECT = 42;
  private static final int LISTEN = 50;
  private static final int EVENTFD2 = 290;
  private static final int DUP2 = 33;

  private static int socket(StoppedShell shell, int type) throws IOException {
    return (int) shell.call(Linux.__NR_socket(), Linux.AF_INET(), type, 0);
  }

  private static int connect(StoppedShell shell, ServerSocket listener) throws IOException {
    int socket = socket(shell, Linux.SOCK_STREAM());
    ByteBuffer address = ByteBuffer.allocate(16);
    address.put(0, (byte) Linux.AF_INET());
    address.putShort(2, (short) listener.getLocalPort());
    address.put(4, listener.getInetAddress().getAddress());
    shell.callWith(address.array(), 1, CONNECT, socket, 0, 16);
    return socket;
  }

  @Test
  void whatTheProcessGoesOnChangingIsNotInTheFork() throws Exception {
    var peers = new ArrayList<Socket>();
    try (var listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        StoppedShell shell = StoppedShell.start()) {
      int event = (int) shell.call(EVENTFD2, 0, 0);
      int listening = socket(shell, Linux.SOCK_STREAM());
      shell.call(LISTEN, listening, 5);
      for (int i = 0; i < 3; i++) {
        connect(shell, listener);
        peers.add(listener.accept());
      }
      int datagrams = socket(shell, Linux.SOCK_DGRAM());
      int last = connect(shell, listener);
      peers.add(listener.accept());
      shell.call(DUP2, last, 200);
      socket(shell, Linux.SOCK_STREAM()); // no connection yet
      int epoll = (int) shell.call(Linux.__NR_epoll_create1(), Linux.O_CLOEXEC());
      byte[] interest =
          ByteBuffer.allocate(12).order(ByteOrder.nativeOrder()).putInt(1).putLong(2).array();
      int add = Linux.EPOLL_CTL_ADD();
      shell.callWith(interest, 3, Linux.__NR_epoll_ctl(), epoll, add, event, 0);

      ThreadRegisters.hold(shell.pid());
      try {
        ForkDescriptors.clear(shell.remote());
      } finally {
        Ptrace.detach(shell.pid());
      }

      assertThat(shell.descriptors())
          .isEqualTo(List.of(event, listening, datagrams, epoll).stream().sorted().toList());
      assertThat(Descriptors.target(shell.pid(), epoll)).isEqualTo(Descriptors.EPOLL);
      String said =
          new String(OpenFile.said(shell.pid(), epoll), java.nio.charset.StandardCharsets.UTF_8);
      assertThat(EpollInterest.parse(said)).isEmpty();
      assertThat(DiskFile.flags(said) & Linux.O_CLOEXEC()).isNotZero();
      for (Socket peer : peers) {
        assertThat(peer.getInputStream().read()).isEqualTo(-1);
      }
    } finally {
      for (Socket peer : peers) {
        peer.close();
      }
    }
  }
}
