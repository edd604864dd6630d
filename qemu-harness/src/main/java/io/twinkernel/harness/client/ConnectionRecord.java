package io.twinkernel.harness.client;

import java.util.List;

/**
 * What one connection saw.
 *
 * @param number of the connection, from 0
 * @param ended how it ended
 * @param samples its answered requests, in order
 * @param acknowledged its writes {@code 1..acknowledged} were acknowledged
 * @param inFlight sequence number of a write that was sent and never answered, or 0
 * @param wrongReads reads that were answered with something else than the key's value
 * @param longestGapNanos longest time between two answers, or from the last answer to the end of a
 *     connection that did not end {@link Ended.Open}
 * @param gapFrom {@link System#nanoTime} of the answer before that gap
 */
public record ConnectionRecord(
    int number,
    Ended ended,
    List<Sample> samples,
    long acknowledged,
    long inFlight,
    long wrongReads,
    long longestGapNanos,
    long gapFrom) {

  public ConnectionRecord {
    samples = List.copyOf(samples);
  }

  /** The Redis list that this connection appends to. */
  public String log() {
    return logOf(number);
  }

  static String logOf(int number) {
    return "log:" + number;
  }
}
