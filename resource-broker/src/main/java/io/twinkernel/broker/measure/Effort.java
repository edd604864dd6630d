package io.twinkernel.broker.measure;

import java.util.concurrent.TimeUnit;

/**
 * How much is measured of each kind: so much, or as much as fits the time.
 *
 * @param samples round trips that count; a quarter as many go before them
 * @param bytes sent one way
 * @param nanos at most so long
 */
public record Effort(int samples, long bytes, long nanos) {
  private static final int BYTES_A_SAMPLE = 1 << 16;
  private static final long SECONDS = 4;

  /** What so many round trips stand for. */
  public static Effort of(int samples) {
    return new Effort(samples, (long) samples * BYTES_A_SAMPLE, TimeUnit.SECONDS.toNanos(SECONDS));
  }

  /** So many round trips at most go before those that count. */
  int warmUp() {
    return samples / 4;
  }

  /**
   * Whether more is to be sent one way.
   *
   * @param sent bytes
   * @param start when it began, by {@link System#nanoTime}
   */
  public boolean more(long sent, long start) {
    return sent < bytes && System.nanoTime() - start < nanos;
  }
}
