package io.twinkernel.harness.client;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * How often each value of the dataset was written anew: by what Redis has acknowledged, and by what
 * it was sent. A read in between may give either.
 */
final class Versions {

  private final AtomicIntegerArray sent;
  private final AtomicIntegerArray acknowledged;

  Versions(int count) {
    sent = new AtomicIntegerArray(count);
    acknowledged = new AtomicIntegerArray(count);
  }

  /** The version that is about to be sent. */
  int next(int index) {
    return sent.incrementAndGet(index);
  }

  void acknowledge(int index, int version) {
    acknowledged.set(index, version);
  }

  /** The oldest that Redis may answer with from now on. */
  int oldest(int index) {
    return acknowledged.get(index);
  }

  /** The newest that it may have answered with by now. */
  int newest(int index) {
    return sent.get(index);
  }
}
