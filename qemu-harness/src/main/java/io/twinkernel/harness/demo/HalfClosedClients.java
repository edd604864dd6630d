package io.twinkernel.harness.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * Two connections to the workload "family" that are half closed: in one the client has ended its
 * half, in the other one the server. In the end the half that is left still says something.
 */
final class HalfClosedClients implements WorkloadClients {
  private static final int SILENCE_MILLIS = 60_000;
  private static final String LAST_WORDS = "last words";

  private final String name;
  private final InetSocketAddress server;
  private final Socket endedHere;
  private final Socket endedThere;

  private HalfClosedClients(
      String name, InetSocketAddress server, Socket endedHere, Socket endedThere) {
    this.name = name;
    this.server = server;
    this.endedHere = endedHere;
    this.endedThere = endedThere;
  }

  /**
   * Connects.
   *
   * @param name of the check that {@link #finish} tells the result of
   */
  static HalfClosedClients connect(String name, InetSocketAddress server) throws IOException {
    Socket endedHere = connect(server, 'c');
    try {
      endedHere.shutdownOutput();
      Socket endedThere = connect(server, 's');
      return new HalfClosedClients(name, server, endedHere, endedThere);
    } catch (IOException e) {
      endedHere.close();
      throw e;
    }
  }

  private static Socket connect(InetSocketAddress server, char which) throws IOException {
    var socket = new Socket();
    try {
      socket.connect(server, SILENCE_MILLIS);
      socket.setSoTimeout(SILENCE_MILLIS);
      socket.getOutputStream().write(which);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private static String rest(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), US_ASCII);
  }

  @Override
  public String finish() {
    try {
      endedThere.getOutputStream().write(LAST_WORDS.getBytes(US_ASCII));
      String own = rest(endedThere);
      String told;
      try (Socket end = connect(server, 'e')) {
        told = rest(end);
      }
      String last = rest(endedHere);
      return own.equals("s") && told.equals("ok") && last.equals("done")
          ? "ok " + name
          : "bad %s '%s', '%s', %s".formatted(name, own, last, told);
    } catch (IOException e) {
      return "bad " + name + " " + e;
    } finally {
      close();
    }
  }

  @Override
  public void close() {
    try (endedHere;
        endedThere) {
      // Both.
    } catch (IOException e) {
      // There is nothing more to say to it.
    }
  }
}
