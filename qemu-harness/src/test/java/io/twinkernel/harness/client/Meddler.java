package io.twinkernel.harness.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** A wire between client and server that can be held up and cut with a RST. */
final class Meddler implements AutoCloseable {

  private final ServerSocket listener;
  private final InetSocketAddress server;
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();

  Meddler(InetSocketAddress server) throws IOException {
    this.server = server;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().start(this::acceptAll);
  }

  InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.getLocalPort());
  }

  /** From now on nothing passes. Must be undone by the same thread. */
  void hold() {
    gate.writeLock().lock();
  }

  void release() {
    gate.writeLock().unlock();
  }

  /** Cuts every connection with a RST (SO_LINGER of zero, socket(7)). */
  void resetAll() throws IOException {
    for (Socket socket : sockets) {
      socket.setSoLinger(true, 0);
      socket.close();
    }
  }

  private void acceptAll() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        Socket upstream = new Socket(server.getAddress(), server.getPort());
        client.setTcpNoDelay(true);
        upstream.setTcpNoDelay(true);
        sockets.add(client);
        sockets.add(upstream);
        Thread.ofPlatform().daemon().start(() -> copy(client, upstream));
        Thread.ofPlatform().daemon().start(() -> copy(upstream, client));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void copy(Socket from, Socket to) {
    byte[] bytes = new byte[1 << 14];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(bytes); n > 0; n = in.read(bytes)) {
        gate.readLock().lock();
        try {
          out.write(bytes, 0, n);
        } finally {
          gate.readLock().unlock();
        }
      }
    } catch (IOException cut) {
      // That is what this is for.
    }
  }

  @Override
  public void close() throws IOException {
    if (gate.isWriteLockedByCurrentThread()) {
      release();
    }
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
