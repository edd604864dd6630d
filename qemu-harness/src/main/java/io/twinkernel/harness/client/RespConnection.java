package io.twinkernel.harness.client;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One TCP connection to Redis that is opened once and never again. Not for use by several threads.
 *
 * <p>Every error of the socket comes out as the {@link IOException} that it was: a reset, an end of
 * stream ({@link EOFException}) and silence ({@link java.net.SocketTimeoutException}) are different
 * findings.
 */
public final class RespConnection implements AutoCloseable {

  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;

  private RespConnection(Socket socket) throws IOException {
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
    this.out = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
  }

  /**
   * Connects.
   *
   * @param silence how long a reply may take before the connection counts as dead
   */
  public static RespConnection open(InetSocketAddress server, Duration silence) throws IOException {
    Socket socket = new Socket();
    try {
      socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
      socket.connect(server, (int) silence.toMillis());
      socket.setSoTimeout((int) silence.toMillis());
      return new RespConnection(socket);
    } catch (IOException failure) {
      socket.close();
      throw failure;
    }
  }

  /** Sends one command and waits for its reply. */
  public Reply call(String... words) throws IOException {
    send(words);
    flush();
    return receive();
  }

  /** Says goodbye; returns whether the server agreed, and closed the connection without more. */
  boolean leave() throws IOException {
    return call("QUIT") instanceof Reply.Status && in.read() < 0;
  }

  /** Puts one command into the buffer, for pipelines. */
  public void send(String... words) throws IOException {
    byte[][] bytes = new byte[words.length][];
    for (int i = 0; i < words.length; i++) {
      bytes[i] = words[i].getBytes(StandardCharsets.ISO_8859_1);
    }
    send(bytes);
  }

  /** As {@link #send(String...)}, of bytes. */
  public void send(byte[]... words) throws IOException {
    header('*', words.length);
    for (byte[] word : words) {
      header('$', word.length);
      out.write(word);
      out.write('\r');
      out.write('\n');
    }
  }

  /** Hands what was sent to the kernel. */
  public void flush() throws IOException {
    out.flush();
  }

  /** Waits for the next reply. */
  public Reply receive() throws IOException {
    int kind = in.read();
    return switch (kind) {
      case '+' -> new Reply.Status(line());
      case '-' -> new Reply.Failure(line());
      case ':' -> new Reply.Count(number());
      case '$' -> bulk((int) number());
      case '*' -> items((int) number());
      case -1 -> throw new EOFException("the server closed the connection");
      default ->
          throw new ProtocolException("reply starts with byte " + kind + ", not with + - : $ or *");
    };
  }

  private Reply bulk(int length) throws IOException {
    if (length < 0) {
      return new Reply.Nil();
    }
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length || in.read() != '\r' || in.read() != '\n') {
      throw new EOFException(
          "the server closed the connection inside a reply of " + length + " bytes");
    }
    return new Reply.Bulk(new String(bytes, StandardCharsets.ISO_8859_1));
  }

  private Reply items(int count) throws IOException {
    if (count < 0) {
      return new Reply.Nil();
    }
    List<Reply> replies = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      replies.add(receive());
    }
    return new Reply.Items(replies);
  }

  private long number() throws IOException {
    String line = line();
    try {
      return Long.parseLong(line);
    } catch (NumberFormatException notANumber) {
      throw (ProtocolException)
          new ProtocolException("'" + line + "' where a number belongs").initCause(notANumber);
    }
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder(32);
    for (int c = in.read(); c != '\r'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("the server closed the connection inside a reply");
      }
      line.append((char) c);
    }
    in.read();
    return line.toString();
  }

  private void header(char kind, int value) throws IOException {
    out.write(kind);
    out.write(Integer.toString(value).getBytes(StandardCharsets.ISO_8859_1));
    out.write('\r');
    out.write('\n');
  }

  /** Local end as {@code address:port}, to find the connection in a trace. */
  public String localName() {
    return socket.getLocalSocketAddress().toString();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
