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
  private final List<Grower> growers = new ArrayList<>();
  private final List<Visitor> visitors = new ArrayList<>();
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
   * @param silence how long an answer may take before its connection counts as dead
   */
  public static OutsideClient start(
      InetSocketAddress server, Dataset dataset, Load load, Duration silence)
      throws HarnessException {
    OutsideClient client = new OutsideClient(server, dataset, silence);
    try {
      client.open(load);
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
    client.start();
    return client;
  }

  private void open(Load load) throws IOException {
    int number = 0;
    for (; number < load.connections(); number++) {
      RespConnection connection = RespConnection.open(server, silence);
      connections.add(
          new ClientConnection(number, connection, dataset, versions, load.pause(), stop, answers));
    }
    if (load.rewrites() > 0) {
      RespConnection connection = RespConnection.open(server, silence);
      rewriters.add(new Rewriter(number++, connection, dataset, versions, load.rewrites(), stop));
    }
    if (load.growth() > 0) {
      RespConnection connection = RespConnection.open(server, silence);
      growers.add(new Grower(number++, connection, dataset.seed(), load.growth(), stop));
    }
    for (int left = load.visitors(); left > 0; left--) {
      visitors.add(new Visitor(number++, server, load.pause(), silence, stop, answers));
    }
  }

  private void start() {
    for (int i = 0; i < connections.size(); i++) {
      start("client-" + i, connections.get(i));
    }
    rewriters.forEach(rewriter -> start("rewriter", rewriter));
    growers.forEach(grower -> start("grower", grower));
    visitors.forEach(visitor -> start("visitor", visitor));
  }

  private void start(String name, Runnable work) {
    threads.add(Thread.ofPlatform().daemon().name(name).start(work));
  }

  /** What the connections have seen so far. */
  public List<ConnectionRecord> records() {
    return Stream.of(
            connections.stream().map(ClientConnection::record),
            rewriters.stream().map(Rewriter::record),
            growers.stream().map(Grower::record),
            visitors.stream().map(Visitor::record))
        .flatMap(each -> each)
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
      long wrong = 0;
      for (Grower grower : growers) {
        wrong += grower.countWrong(checker);
      }
      return Verdict.of(records, checker, dataset, versions, wrong);
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
    for (Grower grower : growers) {
      try {
        grower.close();
      } catch (IOException alreadyGone) {
        // As above.
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
