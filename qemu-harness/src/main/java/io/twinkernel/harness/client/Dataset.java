package io.twinkernel.harness.client;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

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
  private static final int HEAD_BYTES = 64;

  /** Of each key its head, then the pattern from its turn on, then what is before that. */
  private static final String FILL =
      """
      local pattern = ARGV[1]
      for i, key in ipairs(KEYS) do
        local turn = tonumber(ARGV[2 * i + 1])
        redis.call('SET', key, ARGV[2 * i] .. pattern:sub(turn + 1) .. pattern:sub(1, turn))
      end
      return #KEYS
      """;

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
    byte[] pattern = pattern();
    byte[] value = Arrays.copyOf(head(index, version), VALUE_BYTES);
    int turn = turn(index, version);
    System.arraycopy(pattern, turn, value, HEAD_BYTES, pattern.length - turn);
    System.arraycopy(pattern, 0, value, HEAD_BYTES + pattern.length - turn, turn);
    return value;
  }

  /** What a value begins with: its own. */
  private byte[] head(int index, int version) {
    return random(state(index, version), HEAD_BYTES);
  }

  /** By how much the pattern is turned after it. */
  private int turn(int index, int version) {
    return (int) Long.remainderUnsigned(mix(state(index, version)), VALUE_BYTES - HEAD_BYTES);
  }

  private long state(int index, int version) {
    return mix(seed ^ (index * 0x9E3779B97F4A7C15L)) + version * 0xD1342543DE82EF95L;
  }

  /** What all values of a run have in common. */
  private byte[] pattern() {
    return random(mix(seed), VALUE_BYTES - HEAD_BYTES);
  }

  private static byte[] random(long state, int length) {
    byte[] bytes = new byte[length];
    for (int at = 0; at < length; at += Long.BYTES) {
      state += 0x9E3779B97F4A7C15L;
      long word = mix(state);
      for (int i = 0; i < Long.BYTES; i++) {
        bytes[at + i] = (byte) (word >>> (8 * i));
      }
    }
    return bytes;
  }

  /** SplitMix64's output function. */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** Stores all values. Redis puts them together: to send all of it takes an emulated NIC long. */
  public void fill(RespConnection connection) throws IOException, HarnessException {
    for (int from = 0; from < count; from += BATCH) {
      int to = Math.min(count, from + BATCH);
      List<byte[]> words = new ArrayList<>();
      words.add(ascii("EVAL"));
      words.add(ascii(FILL));
      words.add(ascii(Integer.toString(to - from)));
      for (int i = from; i < to; i++) {
        words.add(ascii(key(i)));
      }
      words.add(pattern());
      for (int i = from; i < to; i++) {
        words.add(head(i, 0));
        words.add(ascii(Integer.toString(turn(i, 0))));
      }
      connection.send(words.toArray(byte[][]::new));
      connection.flush();
      Reply reply = connection.receive();
      if (!(reply instanceof Reply.Count stored) || stored.value() != to - from) {
        throw new HarnessException.Service(
            "Redis refused "
                + key(from)
                + " and those that follow: "
                + reply
                + "; give the machine more by --memory or ask for less by --megabytes");
      }
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
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
