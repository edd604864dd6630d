package io.twinkernel.harness.client;

/** The longest time that a connection went without an answer. Whoever has it guards it. */
final class LongestGap {

  private long last = System.nanoTime();
  private long nanos;
  private long from;

  /** It is counted from here on. */
  void begin(long now) {
    last = now;
  }

  /** An answer came, or none will any more. */
  void until(long now) {
    if (now - last > nanos) {
      nanos = now - last;
      from = last;
    }
    last = now;
  }

  long nanos() {
    return nanos;
  }

  /** When it began. */
  long from() {
    return from;
  }

  /** Nanoseconds since the last answer. */
  long silentFor() {
    return System.nanoTime() - last;
  }
}
