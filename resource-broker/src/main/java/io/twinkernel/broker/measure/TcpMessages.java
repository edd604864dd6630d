package io.twinkernel.broker.measure;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/**
 * Messages over a TCP connection: two 32-bit words, kind and length, then the payload. Nothing
 * waits to be sent together with more.
 */
final class TcpMessages implements AutoCloseable {
  /** To be sent back as it is. */
  static final int ECHO = 1;

  /** One of many. */
  static final int RECORD = 2;

  /** The last one has been sent; answered by what was taken: records, and altered ones. */
  static final int END = 3;

  private static final int HEADER = 8;

  private final SocketChannel channel;
  private final ByteBuffer header = ByteBuffer.allocateDirect(HEADER);
  private final ByteBuffer incoming = ByteBuffer.allocateDirect(HEADER);
  private final ByteBuffer payload = ByteBuffer.allocateDirect(Pattern.LARGEST);

  /**
   * One that came.
   *
   * @param payload valid until the next one is received
   */
  record Message(int kind, MemorySegment payload) {}

  TcpMessages(SocketChannel channel) throws IOException {
    this.channel = channel;
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
  }

  void send(int kind, MemorySegment message) throws IOException {
    header.clear().putInt(kind).putInt(Math.toIntExact(message.byteSize())).flip();
    var parts = new ByteBuffer[] {header, message.asByteBuffer()};
    while (parts[1].hasRemaining() || header.hasRemaining()) {
      long _ = channel.write(parts);
    }
  }

  /** Waits for the next one; empty if the other side has closed the connection. */
  Optional<Message> receive() throws IOException {
    incoming.clear();
    if (!fill(incoming)) {
      return Optional.empty();
    }
    int kind = incoming.flip().getInt();
    int length = incoming.getInt();
    if (length < 0 || length > payload.capacity()) {
      throw new IOException("a message of " + length + " bytes over TCP");
    }
    if (!fill(payload.clear().limit(length))) {
      throw new EOFException("the connection ended before " + length + " bytes of a message");
    }
    return Optional.of(new Message(kind, MemorySegment.ofBuffer(payload.flip())));
  }

  /** False if the connection ended before the first byte. */
  private boolean fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        if (buffer.position() > 0) {
          throw new EOFException("the connection ended within a message");
        }
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
