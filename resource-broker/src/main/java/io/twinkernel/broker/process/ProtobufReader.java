package io.twinkernel.broker.process;

import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads a protocol buffers message field by field: {@link #next} moves to the next field, whose
 * value is then had by the accessor of its type.
 */
final class ProtobufReader {

  private final byte[] bytes;
  private final int end;
  private int at;
  private int field;
  private long number;
  private int valueAt;
  private int fieldAt;

  ProtobufReader(byte[] bytes) {
    this(bytes, 0, bytes.length);
  }

  private ProtobufReader(byte[] bytes, int from, int end) {
    this.bytes = bytes;
    this.at = from;
    this.end = end;
  }

  /** Moves on; false at the message's end. */
  boolean next() throws ProtocolException {
    if (at >= end) {
      return false;
    }
    fieldAt = at;
    long tag = varint();
    field = (int) (tag >>> 3);
    switch ((int) tag & 7) {
      case 0 -> number = varint();
      case 1 -> skip(8);
      case 2 -> skip(varint());
      case 5 -> skip(4);
      default -> throw new ProtocolException("wire type " + (tag & 7) + " of field " + field);
    }
    return true;
  }

  int field() {
    return field;
  }

  long number() {
    return number;
  }

  boolean flag() {
    return number != 0;
  }

  String text() {
    return new String(bytes, valueAt, at - valueAt, StandardCharsets.UTF_8);
  }

  /** The field as it stands in the message, with its number. */
  byte[] encoded() {
    return Arrays.copyOfRange(bytes, fieldAt, at);
  }

  ProtobufReader message() {
    return new ProtobufReader(bytes, valueAt, at);
  }

  @Override
  public String toString() {
    return "field " + field + " of " + Arrays.toString(bytes);
  }

  private void skip(long length) throws ProtocolException {
    if (length < 0 || length > end - at) {
      throw new ProtocolException("field " + field + " ends beyond its message");
    }
    valueAt = at;
    at += (int) length;
  }

  private long varint() throws ProtocolException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at >= end) {
        throw new ProtocolException("a number is cut off after field " + field);
      }
      int next = bytes[at++];
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new ProtocolException("a number of more than 64 bits after field " + field);
  }
}
