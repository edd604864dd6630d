package io.twinkernel.harness.client;

/**
 * One request that was answered. Times are {@link System#nanoTime} of this process.
 *
 * @param connection number of the connection, from 0
 * @param write whether it changed data
 * @param sent just before the request was handed to the kernel
 * @param answered just after the whole answer was read
 */
public record Sample(int connection, boolean write, long sent, long answered) {

  public long latencyNanos() {
    return answered - sent;
  }
}
