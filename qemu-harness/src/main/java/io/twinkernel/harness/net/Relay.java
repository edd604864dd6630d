package io.twinkernel.harness.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/**
 * Passes connections on, byte for byte. Two of them make a port inside a network namespace
 * reachable from outside, over a unix socket, which no network namespace confines: one outside from
 * a loopback port to the socket, one inside from the socket to the port.
 */
public final class Relay implements AutoCloseable {

  private final ServerSocketChannel listener;
  private final SocketAddress target;

  private Relay(ServerSocketChannel listener, SocketAddress target) {
    this.listener = listener;
    this.target = target;
    Thread.ofVirtual().name("relay").start(this::acceptAll);
  }

  /** From a unix socket that this makes to a port on loopback. */
  public static Relay inside(Path socket, int port) throws IOException {
    ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
    return new Relay(listener, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  /** From a port on loopback, any free one if the wanted one is taken, to a unix socket. */
  public static Relay outside(int wantedPort, Path socket) throws IOException {
    return new Relay(bind(wantedPort), UnixDomainSocketAddress.of(socket));
  }

  private static ServerSocketChannel bind(int wantedPort) throws IOException {
    ServerSocketChannel listener = ServerSocketChannel.open();
    try {
      return listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), wantedPort));
    } catch (IOException taken) {
      listener.close();
      if (wantedPort == 0) {
        throw taken;
      }
      return bind(0);
    }
  }

  /** The loopback port that is listened on. */
  public int port() throws IOException {
    return ((InetSocketAddress) listener.getLocalAddress()).getPort();
  }

  private void acceptAll() {
    while (listener.isOpen()) {
      try {
        SocketChannel client = listener.accept();
        Thread.ofVirtual().start(() -> join(client));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void join(SocketChannel client) {
    try (client;
        SocketChannel server = SocketChannel.open(target)) {
      Thread back = Thread.ofVirtual().start(() -> copy(server, client));
      copy(client, server);
      back.join();
    } catch (IOException nobodyThere) {
      // Closing the client tells it.
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void copy(SocketChannel from, SocketChannel to) {
    ByteBuffer buffer = ByteBuffer.allocate(1 << 14);
    try {
      while (from.read(buffer.clear()) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          to.write(buffer);
        }
      }
      to.shutdownOutput();
    } catch (IOException broken) {
      // Either side's end is the other's.
      try {
        from.close();
        to.close();
      } catch (IOException alreadyClosed) {
        // That was the aim.
      }
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
