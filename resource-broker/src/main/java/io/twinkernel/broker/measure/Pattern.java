package io.twinkernel.broker.measure;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * Payloads that both ends know and that differ from one to the next: one that arrives altered, out
 * of order or twice is noticed.
 */
public final class Pattern {
  /** The largest payload, in bytes. */
  public static final int LARGEST = 1 << 20;

  private static final int SEED = 0x7477696e;

  /** A prime, so that payloads of a power of two never line up. */
  private static final int PERIOD = 65_521;

  private static final int STEP = 4099;

  /** Outside the heap: a system call that sends it copies it once. */
  private static final MemorySegment BYTES = bytes();

  private Pattern() {}

  private static MemorySegment bytes() {
    byte[] bytes = new byte[LARGEST + PERIOD];
    new Random(SEED).nextBytes(bytes);
    return Arena.global()
        .allocate(bytes.length)
        .copyFrom(MemorySegment.ofArray(bytes))
        .asReadOnly();
  }

  /** The payload of that number. */
  public static MemorySegment of(long number, int length) {
    return BYTES.asSlice(number * STEP % PERIOD, length);
  }

  /** Whether that is the payload of that number. */
  public static boolean matches(long number, MemorySegment payload) {
    return payload.byteSize() <= LARGEST
        && payload.mismatch(of(number, (int) payload.byteSize())) < 0;
  }
}
