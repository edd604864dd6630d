package io.twinkernel.harness.client;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A connection that writes the dataset's values anew, one after the other, so many each second, in
 * pipelines: what a busy service does to its memory. Its answers are not in the latencies.
 */
final class Rewriter implements AutoCloseable, Runnable {

  /** Pipelines for each second, unless that leaves less than one value for each. */
  private static final int PIPELINES = 50;

  private final int number;
  private final RespConnection connection;
  private final Dataset dataset;
  private final Versions versions;
  private final int batch;
  private final long periodNanos;
  private final CountDownLatch stop;

  private final LongestGap gap = new LongestGap();

  private Ended ended = new Ended.Open();
  private int index;

  /**
   * @param number of the connection
   * @param perSecond values
   */
  Rewriter(
      int number,
      RespConnection connection,
      Dataset dataset,
      Versions versions,
      int perSecond,
      CountDownLatch stop) {
    this.number = number;
    this.connection = connection;
    this.dataset = dataset;
    this.versions = versions;
    this.batch = Math.max(1, perSecond / PIPELINES);
    this.periodNanos = TimeUnit.SECONDS.toNanos(1) * batch / perSecond;
    this.stop = stop;
  }

  @Override
  public void run() {
    long next = System.nanoTime();
    try {
      while (!stop.await(next - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        rewrite();
        // What was missed is caught up for a second at most: the rate holds, a gap makes no burst.
        next = Math.max(next + periodNanos, System.nanoTime() - TimeUnit.SECONDS.toNanos(1));
      }
    } catch (IOException broken) {
      end(Ended.by(broken));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void rewrite() throws IOException {
    int count = Math.min(batch, dataset.count());
    int[] sent = new int[count];
    for (int i = 0; i < count; i++) {
      int at = (index + i) % dataset.count();
      sent[i] = versions.next(at);
      connection.send(
          "SET".getBytes(StandardCharsets.ISO_8859_1),
          Dataset.key(at).getBytes(StandardCharsets.ISO_8859_1),
          dataset.value(at, sent[i]));
    }
    connection.flush();
    for (int i = 0; i < count; i++) {
      Reply reply = connection.receive();
      if (!(reply instanceof Reply.Status)) {
        end(new Ended.Wrong("SET answered with " + reply));
        throw new IOException("SET answered with " + reply);
      }
      versions.acknowledge((index + i) % dataset.count(), sent[i]);
      answered();
    }
    index = (index + count) % dataset.count();
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
  synchronized ConnectionRecord record() {
    return new ConnectionRecord(number, ended, List.of(), 0, 0, 0, gap.nanos(), gap.from());
  }

  @Override
  public void close() throws IOException {
    connection.close();
  }
}
