package io.twinkernel.harness.machine;

import io.twinkernel.harness.client.Reply;
import io.twinkernel.harness.client.RespConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * Counts in Redis, over one connection, and notices if a number is missing or comes twice, if the
 * connection ends, and how long an answer takes.
 */
final class CountingClient implements AutoCloseable {
  private static final String KEY = "counted";
  private static final Duration PAUSE = Duration.ofMillis(5);

  private final RespConnection connection;
  private final Thread thread;
  private volatile boolean over;
  private long counted;
  private long longest;
  private String wrong = "";

  private CountingClient(RespConnection connection) {
    this.connection = connection;
    this.thread = Thread.ofPlatform().name("counting").unstarted(this::count);
  }

  /**
   * @param port of Redis, on this host
   */
  static CountingClient connect(int port) throws IOException {
    var server = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    var client = new CountingClient(RespConnection.open(server, TestNode.PATIENCE));
    client.thread.start();
    return client;
  }

  private void count() {
    long before = System.nanoTime();
    try {
      while (!over) {
        Reply reply = connection.call("INCR", KEY);
        long now = System.nanoTime();
        answered(reply, now - before);
        before = now;
        Thread.sleep(PAUSE);
      }
    } catch (IOException e) {
      say("the connection ended: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void answered(Reply reply, long nanos) {
    longest = Math.max(longest, nanos);
    counted++;
    if (!(reply instanceof Reply.Count(long value)) || value != counted) {
      say("the answer to number " + counted + " was " + reply);
    }
    notifyAll();
  }

  private synchronized void say(String what) {
    if (wrong.isEmpty() && !over) {
      wrong = what;
    }
    notifyAll();
  }

  /** What was not as it had to be, empty if nothing was. */
  synchronized String wrong() {
    return wrong;
  }

  /** Waits for the answer to something that is asked from now on. */
  synchronized void awaitAnswer() throws InterruptedException {
    long then = counted + 1;
    while (counted <= then && wrong.isEmpty()) {
      wait();
    }
  }

  /** The longest time without an answer since this was last asked. */
  synchronized Duration longestGap() {
    var gap = Duration.ofNanos(longest);
    longest = 0;
    return gap;
  }

  @Override
  public void close() throws IOException {
    over = true;
    connection.close();
    thread.interrupt();
  }
}
