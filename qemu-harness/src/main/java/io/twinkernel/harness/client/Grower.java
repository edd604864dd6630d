package io.twinkernel.harness.client;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A connection that adds values for as long as it runs, so much each second: the service's memory
 * grows under the upgrade. Its answers are not in the latencies; each value is read back in the
 * end.
 */
final class Grower implements AutoCloseable, Runnable {

  private static final int VALUE = 1 << 16;

  private final int number;
  private final RespConnection connection;
  private final long seed;
  private final long periodNanos;
  private final CountDownLatch stop;

  private final LongestGap gap = new LongestGap();
  private Ended ended = new Ended.Open();
  private int acknowledged;

  /**
   * @param number of the connection
   * @param seed of the values
   * @param megabytes added each second
   */
  Grower(int number, RespConnection connection, long seed, double megabytes, CountDownLatch stop) {
    this.number = number;
    this.connection = connection;
    this.seed = seed;
    this.periodNanos = (long) (TimeUnit.SECONDS.toNanos(1) * VALUE / (megabytes * (1 << 20)));
    this.stop = stop;
  }

  @Override
  public void run() {
    long next = System.nanoTime();
    try {
      while (!stop.await(next - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        add();
        next = Math.max(next + periodNanos, System.nanoTime() - TimeUnit.SECONDS.toNanos(1));
      }
    } catch (IOException broken) {
      end(Ended.by(broken));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void add() throws IOException {
    connection.send(bytes("SET"), bytes(key(acknowledged)), value(acknowledged));
    connection.flush();
    Reply reply = connection.receive();
    if (!(reply instanceof Reply.Status)) {
      end(new Ended.Wrong("SET answered with " + reply));
      throw new IOException("SET answered with " + reply);
    }
    synchronized (this) {
      acknowledged++;
      gap.until(System.nanoTime());
    }
  }

  private static String key(int index) {
    return "grown:" + index;
  }

  private byte[] value(int index) {
    var random = new SplittableRandom(seed + index);
    byte[] value = new byte[VALUE];
    random.nextBytes(value);
    return value;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private synchronized void end(Ended how) {
    if (ended instanceof Ended.Open) {
      ended = how;
    }
  }

  /** Values that were acknowledged and are not what they were. */
  synchronized long countWrong(RespConnection checker) throws IOException {
    long wrong = 0;
    for (int index = 0; index < acknowledged; index++) {
      Reply reply = checker.call("GET", key(index));
      boolean right =
          reply instanceof Reply.Bulk bulk
              && bulk.text().equals(new String(value(index), StandardCharsets.ISO_8859_1));
      wrong += right ? 0 : 1;
    }
    return wrong;
  }

  /** Safe at any time. It appends to no list. */
  synchronized ConnectionRecord record() {
    return new ConnectionRecord(
        number, ended, java.util.List.of(), 0, 0, 0, gap.nanos(), gap.from());
  }

  @Override
  public void close() throws IOException {
    connection.close();
  }
}
