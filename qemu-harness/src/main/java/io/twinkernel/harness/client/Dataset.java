package io.twinkernel.harness.client;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * The data that Redis holds during a run: {@code count} values of {@value #VALUE_BYTES} bytes under
 * {@code data:0}, {@code data:1}, ... Each value follows from its key and the seed, so that a
 * client can tell a wrong one without keeping a copy. The bytes do not compress.
 *
 * @param seed what makes one run's values differ from another's
 * @param count number of keys
 */
public record Dataset(long seed, int count) {

  /** Size of each value. */
  public static final int VALUE_BYTES = 4096;

  private static final int BATCH = 64;

  /** As many values as fill {@code megabytes} MiB. */
  public static Dataset ofMegabytes(long seed, int megabytes) {
    return new Dataset(seed, megabytes * ((1 << 20) / VALUE_BYTES));
  }

  public static String key(int index) {
    return "data:" + index;
  }

  /** The value that is first under {@link #key}. */
  public byte[] value(int index) {
    return value(index, 0);
  }

  /** The value under {@link #key} after it was written anew so often. */
  byte[] value(int index, int version) {
    byte[] value = new byte[VALUE_BYTES];
    long state = mix(seed ^ (index * 0x9E3779B97F4A7C15L)) + version * 0xD1342543DE82EF95L;
    for (int at = 0; at < VALUE_BYTES; at += Long.BYTES) {
      state += 0x9E3779B97F4A7C15L;
      long word = mix(state);
      for (int i = 0; i < Long.BYTES; i++) {
        value[at + i] = (byte) (word >>> (8 * i));
      }
    }
    return value;
  }

  /** SplitMix64's output function. */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** Stores all values, in pipelines. */
  public void fill(RespConnection connection) throws IOException, HarnessException {
    for (int from = 0; from < count; from += BATCH) {
      int to = Math.min(count, from + BATCH);
      for (int i = from; i < to; i++) {
        connection.send(
            "SET".getBytes(StandardCharsets.ISO_8859_1),
            key(i).getBytes(StandardCharsets.ISO_8859_1),
            value(i));
      }
      connection.flush();
      for (int i = from; i < to; i++) {
        if (!(connection.receive() instanceof Reply.Status)) {
          throw new HarnessException.Service(
              "Redis refused SET "
                  + key(i)
                  + ": it may be out of memory; give the machine more by --memory or ask for less by --megabytes");
        }
      }
    }
  }

  /** Reads every value back and counts those that are missing or not what they were. */
  public int countWrong(RespConnection connection) throws IOException {
    return countWrong(connection, new Versions(count));
  }

  /** As {@link #countWrong(RespConnection)}, of values that were written anew. */
  int countWrong(RespConnection connection, Versions versions) throws IOException {
    int wrong = 0;
    for (int from = 0; from < count; from += BATCH) {
      int to = Math.min(count, from + BATCH);
      for (int i = from; i < to; i++) {
        connection.send("GET", key(i));
      }
      connection.flush();
      for (int i = from; i < to; i++) {
        wrong += isValue(i, versions.oldest(i), versions.newest(i), connection.receive()) ? 0 : 1;
      }
    }
    return wrong;
  }

  /** Whether this is the value that belongs under {@link #key}. */
  public boolean isValue(int index, Reply reply) {
    return isValue(index, 0, 0, reply);
  }

  /** Whether it is, after it was written anew at least and at most so often. */
  boolean isValue(int index, int oldest, int newest, Reply reply) {
    if (reply instanceof Reply.Bulk bulk) {
      for (int version = newest; version >= oldest; version--) {
        if (bulk.text().equals(new String(value(index, version), StandardCharsets.ISO_8859_1))) {
          return true;
        }
      }
    }
    return false;
  }
}
