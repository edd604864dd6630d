package io.twinkernel.broker.acpi;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Fills an array with little-endian numbers; what is skipped stays zero. */
final class Bytes {

  private final byte[] bytes;
  private int at;
  private int end;

  Bytes(int capacity) {
    bytes = new byte[capacity];
  }

  /** Goes on at an offset. */
  Bytes at(int offset) {
    at = offset;
    return this;
  }

  Bytes u8(long value) {
    return number(value, 1);
  }

  Bytes u16(long value) {
    return number(value, 2);
  }

  Bytes u32(long value) {
    return number(value, 4);
  }

  Bytes u64(long value) {
    return number(value, 8);
  }

  Bytes number(long value, int width) {
    for (int i = 0; i < width; i++) {
      bytes[at++] = (byte) (value >>> (8 * i));
    }
    end = Math.max(end, at);
    return this;
  }

  /** ASCII text, filled up with zeroes; throws where it is longer than its field. */
  Bytes text(String text, int length) {
    byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
    if (ascii.length > length) {
      throw new IllegalArgumentException("'" + text + "' is longer than " + length + " characters");
    }
    return bytes(Arrays.copyOf(ascii, length));
  }

  Bytes bytes(byte[] more) {
    System.arraycopy(more, 0, bytes, at, more.length);
    return at(at + more.length).number(0, 0);
  }

  /** A copy of what was filled. */
  byte[] filled() {
    return Arrays.copyOf(bytes, end);
  }
}
