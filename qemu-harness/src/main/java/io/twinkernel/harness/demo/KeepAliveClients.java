package io.twinkernel.harness.demo;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Clients of a web server, each with one connection that it keeps: asks for the same file over and
 * over and compares what comes.
 */
final class KeepAliveClients implements WorkloadClients {
  private static final int CLIENTS = 4;
  private static final int PAUSE_MILLIS = 50;
  private static final int SILENCE_MILLIS = 60_000;

  private final String name;
  private final List<Thread> threads = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();
  private final AtomicLong answers = new AtomicLong();
  private volatile boolean ended;

  private KeepAliveClients(String name) {
    this.name = name;
  }

  /**
   * Starts them.
   *
   * @param name of the check that {@link #finish} tells the result of
   */
  static KeepAliveClients start(String name, InetSocketAddress server, String path) {
    var clients = new KeepAliveClients(name);
    for (int number = 0; number < CLIENTS; number++) {
      clients.threads.add(Thread.ofVirtual().start(() -> clients.run(server, path)));
    }
    return clients;
  }

  private void run(InetSocketAddress server, String path) {
    byte @Nullable [] expected = null;
    try (Socket socket = new Socket()) {
      socket.connect(server, SILENCE_MILLIS);
      socket.setSoTimeout(SILENCE_MILLIS);
      var in = new BufferedInputStream(socket.getInputStream());
      String request = "GET " + path + " HTTP/1.1\r\nHost: node\r\n\r\n";
      while (!ended) {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        byte[] body = answer(in);
        if (expected != null && !Arrays.equals(expected, body)) {
          throw new IOException("another content than before");
        }
        expected = body;
        answers.incrementAndGet();
        Thread.sleep(PAUSE_MILLIS);
      }
    } catch (IOException failure) {
      synchronized (failures) {
        failures.add(String.valueOf(failure));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static byte[] answer(InputStream in) throws IOException {
    String status = line(in);
    if (!status.startsWith("HTTP/1.1 200 ")) {
      throw new IOException("the server said " + status);
    }
    int length = -1;
    for (String header = line(in); !header.isEmpty(); header = line(in)) {
      if (header.regionMatches(true, 0, "Content-Length:", 0, 15)) {
        length = Integer.parseInt(header.substring(15).strip());
      } else if (header.equalsIgnoreCase("Connection: close")) {
        throw new IOException("the server wants to close the connection");
      }
    }
    byte[] body = in.readNBytes(length);
    if (body.length != length) {
      throw new EOFException("the connection ended in the middle of an answer");
    }
    return body;
  }

  private static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("the connection ended");
      }
      line.append((char) next);
    }
    return line.toString().strip();
  }

  @Override
  public String finish() {
    close();
    synchronized (failures) {
      return failures.isEmpty() && answers.get() > 0
          ? "ok " + name + " " + answers + " answers on " + CLIENTS + " connections"
          : "bad " + name + " " + answers + " answers; " + failures;
    }
  }

  @Override
  public void close() {
    ended = true;
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
