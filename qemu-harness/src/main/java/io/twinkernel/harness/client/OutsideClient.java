package io.twinkernel.harness.client;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The outside client: the measure of an upgrade. Holds connections to Redis, writes and reads on
 * each, and keeps every answer's time. One platform thread a connection, so that no other work of
 * this process delays a clock reading more than the scheduler must.
 */
public final class OutsideClient implements AutoCloseable {

  /** How many answers on each connection make a stretch to compare with. */
  public static final int CALM_ANSWERS = 50;

  private final InetSocketAddress server;
  private final Dataset dataset;
  private final Versions versions;
  private final Duration silence;
  private final CountDownLatch stop = new CountDownLatch(1);
  private final Semaphore answers = new Semaphore(0);
  private final List<ClientConnection> connections = new ArrayList<>();
  private final List<Rewriter> rewriters = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  private OutsideClient(InetSocketAddress server, Dataset dataset, Duration silence) {
    this.server = server;
    this.dataset = dataset;
    this.versions = new Versions(dataset.count());
    this.silence = silence;
  }

  /**
   * Opens all connections, then starts to work on them.
   *
   * @param pause between two requests on one connection
   * @param silence how long an answer may take before its connection counts as dead
   */
  public static OutsideClient start(
      InetSocketAddress server, Dataset dataset, int connections, Duration pause, Duration silence)
      throws HarnessException {
    return start(server, dataset, connections, pause, silence, 0);
  }

  /**
   * As above, with one connection more, which writes values of the dataset anew.
   *
   * @param rewrites so many each second; 0: there is no such connection
   */
  public static OutsideClient start(
      InetSocketAddress server,
      Dataset dataset,
      int connections,
      Duration pause,
      Duration silence,
      int rewrites)
      throws HarnessException {
    OutsideClient client = new OutsideClient(server, dataset, silence);
    try {
      for (int i = 0; i < connections; i++) {
        RespConnection connection = RespConnection.open(server, silence);
        client.connections.add(
            new ClientConnection(
                i, connection, dataset, client.versions, pause, client.stop, client.answers));
      }
      if (rewrites > 0) {
        RespConnection connection = RespConnection.open(server, silence);
        client.rewriters.add(
            new Rewriter(connections, connection, dataset, client.versions, rewrites, client.stop));
      }
    } catch (IOException failure) {
      client.close();
      throw new HarnessException.Service(
          "connection "
              + client.connections.size()
              + " to Redis at "
              + server
              + " was not made: "
              + failure.getMessage(),
          failure);
    }
    for (int i = 0; i < connections; i++) {
      client.threads.add(
          Thread.ofPlatform().daemon().name("client-" + i).start(client.connections.get(i)));
    }
    for (Rewriter rewriter : client.rewriters) {
      client.threads.add(Thread.ofPlatform().daemon().name("rewriter").start(rewriter));
    }
    return client;
  }

  /** What the connections have seen so far. */
  public List<ConnectionRecord> records() {
    return Stream.concat(
            connections.stream().map(ClientConnection::record),
            rewriters.stream().map(Rewriter::record))
        .toList();
  }

  /** What became of each value. */
  Versions versions() {
    return versions;
  }

  /**
   * Waits for as many answers, over all connections, as make a calm stretch.
   *
   * @return whether it was done in time
   */
  public boolean awaitCalm(Duration timeout) {
    return awaitAnswers(CALM_ANSWERS * connections.size(), timeout);
  }

  /**
   * Waits for answers that come from now on, over all connections.
   *
   * @return whether so many came in time
   */
  public boolean awaitAnswers(int count, Duration timeout) {
    answers.drainPermits();
    try {
      return answers.tryAcquire(count, timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Longest time, in nanoseconds, for which a connection that is open now has had no answer. */
  public long silentFor() {
    return connections.stream()
        .filter(ClientConnection::open)
        .mapToLong(ClientConnection::silentFor)
        .max()
        .orElse(0);
  }

  /**
   * Lets every connection end its request, stops, and compares what Redis holds with what it
   * acknowledged.
   */
  public Verdict finish() throws HarnessException {
    stop.countDown();
    try {
      for (Thread thread : threads) {
        // A request that is under way ends by an answer or by the socket's own time-out.
        thread.join(silence.plusSeconds(1));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    List<ConnectionRecord> records = records();
    try (RespConnection checker = RespConnection.open(server, silence)) {
      return Verdict.of(records, checker, dataset, versions);
    } catch (IOException failure) {
      throw new HarnessException.Service(
          "Redis at "
              + server
              + " did not let itself be checked after the run: "
              + failure.getMessage(),
          failure);
    }
  }

  @Override
  public void close() {
    stop.countDown();
    for (ClientConnection connection : connections) {
      try {
        connection.close();
      } catch (IOException alreadyGone) {
        // Nothing of a closed socket is left to release.
      }
    }
    for (Rewriter rewriter : rewriters) {
      try {
        rewriter.close();
      } catch (IOException alreadyGone) {
        // As above.
      }
    }
    for (Thread thread : threads) {
      try {
        thread.join(TimeUnit.SECONDS.toMillis(2));
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
