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
final class Grower extends PacedConnection {

  private static final int VALUE = 1 << 16;

  private final long seed;
  private volatile int acknowledged;

  /**
   * @param number of the connection
   * @param seed of the values
   * @param megabytes added each second
   */
  Grower(int number, RespConnection connection, long seed, double megabytes, CountDownLatch stop) {
    super(
        number,
        connection,
        (long) (TimeUnit.SECONDS.toNanos(1) * VALUE / (megabytes * (1 << 20))),
        stop);
    this.seed = seed;
  }

  @Override
  void work() throws IOException {
    int index = acknowledged;
    connection().send(bytes("SET"), bytes(key(index)), value(index));
    connection().flush();
    awaitSet();
    acknowledged = index + 1;
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

  /** Values that were acknowledged and are not what they were. */
  long countWrong(RespConnection checker) throws IOException {
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
}
