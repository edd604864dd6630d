package io.twinkernel.broker.protocol;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The broker's connection to the control plane: newline-delimited JSON over TCP, dialled by the
 * broker and dialled again whenever it breaks. What is to be sent waits in a queue while there is
 * no connection, so a broker whose NIC is elsewhere neither blocks nor loses its events.
 */
public final class ControlChannel implements AutoCloseable {
  private static final int PROTOCOL = 1;
  private static final int CONNECT_MILLIS = 5000;
  private static final long REDIAL_MILLIS = 300;
  private static final int LONGEST_LINE = 1 << 20;

  /** Takes commands, on the channel's own thread; replies with {@link #send}. */
  @FunctionalInterface
  public interface CommandHandler {
    void handle(Command command);
  }

  private final InetSocketAddress address;
  private final Supplier<Map<String, Object>> hello;
  private final CommandHandler handler;
  private final ArrayDeque<String> queue = new ArrayDeque<>();
  private final Thread dialler;
  private final Thread sender;
  private @Nullable Socket socket;
  private volatile boolean closed;

  /**
   * @param hello makes the first message of every connection, with the token in it
   */
  public ControlChannel(
      InetSocketAddress address, Supplier<Map<String, Object>> hello, CommandHandler handler) {
    this.address = address;
    this.hello = hello;
    this.handler = handler;
    this.dialler = Thread.ofPlatform().name("control-dial").daemon().unstarted(this::dial);
    this.sender = Thread.ofPlatform().name("control-send").daemon().unstarted(this::drain);
  }

  public void start() {
    dialler.start();
    sender.start();
  }

  /** Queues a message. */
  public void send(Map<String, ?> message) {
    String line = Json.write(message);
    synchronized (queue) {
      queue.addLast(line);
      queue.notifyAll();
    }
  }

  public static Map<String, Object> reply(Command command, Map<String, Object> detail) {
    return Map.of("type", "reply", "command", command.number(), "ok", true, "detail", detail);
  }

  public static Map<String, Object> reply(Command command, Failure failure) {
    return Map.of(
        "type", "reply", "command", command.number(), "ok", false, "failure", failure.toJson());
  }

  private void dial() {
    while (!closed) {
      try (var connection = new Socket()) {
        connection.setTcpNoDelay(true);
        connection.setKeepAlive(true);
        connection.connect(address, CONNECT_MILLIS);
        converse(connection);
      } catch (IOException e) {
        say("control plane " + address + ": " + e.getMessage());
      } finally {
        connected(null);
      }
      pause();
    }
  }

  /** Says hello again, after all that was queued before. */
  public void greet() {
    send(greeting());
  }

  private Map<String, Object> greeting() {
    var greeting = new LinkedHashMap<String, Object>(hello.get());
    greeting.put("type", "hello");
    greeting.put("protocol", (long) PROTOCOL);
    return greeting;
  }

  private void converse(Socket connection) throws IOException {
    writeLine(connection.getOutputStream(), Json.write(greeting()));
    var lines =
        new BufferedReader(
            new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8));
    String line = readLine(lines);
    while (line != null && !closed) {
      Fields message = new Fields(Json.parse(line));
      switch (message.text("type")) {
        case "welcome" -> connected(connection);
        case "command" -> handler.handle(Command.fromJson(message));
        case "refused" ->
            throw new IOException("refused this broker: " + message.text("why", "no reason given"));
        default -> throw new MalformedMessageException("message type " + message.text("type"));
      }
      line = readLine(lines);
    }
    throw new IOException("the control plane closed the connection");
  }

  private static @Nullable String readLine(BufferedReader lines) throws IOException {
    var line = new StringBuilder();
    int next = lines.read();
    while (next >= 0 && next != '\n') {
      if (line.length() >= LONGEST_LINE) {
        throw new MalformedMessageException("a line longer than " + LONGEST_LINE);
      }
      line.append((char) next);
      next = lines.read();
    }
    return next < 0 ? null : line.toString();
  }

  private static void writeLine(OutputStream out, String line) throws IOException {
    out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private void connected(@Nullable Socket connection) {
    synchronized (queue) {
      socket = connection;
      queue.notifyAll();
    }
  }

  private void drain() {
    while (!closed) {
      Socket connection;
      String line;
      synchronized (queue) {
        while (!closed && (socket == null || queue.isEmpty())) {
          waitForQueue();
        }
        connection = socket;
        line = queue.peekFirst();
      }
      if (connection != null && line != null) {
        try {
          writeLine(connection.getOutputStream(), line);
          synchronized (queue) {
            queue.removeFirst();
          }
        } catch (IOException e) {
          // The dialler notices too and connects again; the line stays first in the queue.
          closeQuietly(connection);
          synchronized (queue) {
            if (connection.equals(socket)) {
              socket = null;
            }
          }
        }
      }
    }
  }

  private void waitForQueue() {
    try {
      queue.wait();
    } catch (InterruptedException e) {
      closed = true;
    }
  }

  /** The peer may be restarting: nothing tells when it listens again, so dial at intervals. */
  private void pause() {
    synchronized (queue) {
      try {
        if (!closed) {
          queue.wait(REDIAL_MILLIS);
        }
      } catch (InterruptedException e) {
        closed = true;
      }
    }
  }

  private static void closeQuietly(Socket connection) {
    try {
      connection.close();
    } catch (IOException e) {
      say("closing the control connection: " + e.getMessage());
    }
  }

  private static void say(String text) {
    System.err.println("twin-broker: " + text);
  }

  @Override
  public void close() {
    synchronized (queue) {
      closed = true;
      if (socket != null) {
        closeQuietly(socket);
      }
      queue.notifyAll();
    }
  }
}
