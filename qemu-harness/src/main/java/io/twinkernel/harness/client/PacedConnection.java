package io.twinkernel.harness.client;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A connection that does its work at a rate. Its answers are not in the latencies. */
abstract class PacedConnection implements AutoCloseable, Runnable {

  private final int number;
  private final RespConnection connection;
  private final long periodNanos;
  private final CountDownLatch stop;

  private final LongestGap gap = new LongestGap();
  private Ended ended = new Ended.Open();

  /**
   * @param number of the connection
   * @param periodNanos between two pieces of its work
   */
  PacedConnection(int number, RespConnection connection, long periodNanos, CountDownLatch stop) {
    this.number = number;
    this.connection = connection;
    this.periodNanos = periodNanos;
    this.stop = stop;
  }

  /** A piece of its work. */
  abstract void work() throws IOException;

  final RespConnection connection() {
    return connection;
  }

  @Override
  public final void run() {
    long next = System.nanoTime();
    try {
      while (!stop.await(next - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        work();
        // What was missed is caught up for a second at most: the rate holds, a gap makes no burst.
        next = Math.max(next + periodNanos, System.nanoTime() - TimeUnit.SECONDS.toNanos(1));
      }
    } catch (IOException broken) {
      end(Ended.by(broken));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for the answer to a SET. */
  final void awaitSet() throws IOException {
    Reply reply = connection.receive();
    if (!(reply instanceof Reply.Status)) {
      end(new Ended.Wrong("SET answered with " + reply));
      throw new IOException("SET answered with " + reply);
    }
    answered();
  }

  private synchronized void answered() {
    gap.until(System.nanoTime());
  }

  private synchronized void end(Ended how) {
    if (ended instanceof Ended.Open) {
      ended = how;
    }
  }

  /** Safe at any time. It appends to no list. */
  final synchronized ConnectionRecord record() {
    return new ConnectionRecord(number, ended, List.of(), 0, 0, 0, gap.nanos(), gap.from());
  }

  @Override
  public final void close() throws IOException {
    connection.close();
  }
}
