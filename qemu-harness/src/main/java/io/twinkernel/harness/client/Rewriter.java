package io.twinkernel.harness.client;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A connection that writes the dataset's values anew, one after the other, so many each second, in
 * pipelines: what a busy service does to its memory. Its answers are not in the latencies.
 */
final class Rewriter extends PacedConnection {

  /** Pipelines for each second, unless that leaves less than one value for each. */
  private static final int PIPELINES = 50;

  private final Dataset dataset;
  private final Versions versions;
  private final int batch;

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
    super(number, connection, TimeUnit.SECONDS.toNanos(1) * batch(perSecond) / perSecond, stop);
    this.dataset = dataset;
    this.versions = versions;
    this.batch = batch(perSecond);
  }

  private static int batch(int perSecond) {
    return Math.max(1, perSecond / PIPELINES);
  }

  @Override
  void work() throws IOException {
    int count = Math.min(batch, dataset.count());
    int[] sent = new int[count];
    for (int i = 0; i < count; i++) {
      int at = (index + i) % dataset.count();
      sent[i] = versions.next(at);
      connection()
          .send(
              "SET".getBytes(StandardCharsets.ISO_8859_1),
              Dataset.key(at).getBytes(StandardCharsets.ISO_8859_1),
              dataset.value(at, sent[i]));
    }
    connection().flush();
    for (int i = 0; i < count; i++) {
      awaitSet();
      versions.acknowledge((index + i) % dataset.count(), sent[i]);
    }
    index = (index + count) % dataset.count();
  }
}
