package io.twinkernel.broker.measure;

import java.util.Arrays;

/**
 * How long round trips took. The first of them do not count: code is compiled, caches are filled.
 * Where they are slow they get a quarter of the time, and what counts gets all of it.
 */
public final class RoundTrips {
  private final Effort effort;
  private final long[] nanos;
  private long start;
  private int before;
  private int count;
  private boolean counts;

  /**
   * @param now when the first begins, by {@link System#nanoTime}
   */
  public RoundTrips(Effort effort, long now) {
    this.effort = effort;
    this.nanos = new long[effort.samples()];
    this.start = now;
  }

  /**
   * One is over.
   *
   * @return whether that is enough
   */
  public boolean add(long sent, long now) {
    if (!counts) {
      before++;
      counts = before >= effort.warmUp() || now - start > effort.nanos() / 4;
      start = counts ? now : start;
      return false;
    }
    nanos[count++] = now - sent;
    return count == nanos.length || now - start > effort.nanos();
  }

  /** Of those that count. */
  public long[] nanos() {
    return Arrays.copyOf(nanos, count);
  }
}
