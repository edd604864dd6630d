package io.twinkernel.broker.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * The few AML terms that describe a host bridge, encoded as ACPI 6.5 chapter 20.2 says. Every
 * method returns the bytes of one term.
 */
final class Aml {

  private static final int NAME_OP = 0x08;
  private static final int SCOPE_OP = 0x10;
  private static final int BUFFER_OP = 0x11;
  private static final int EXT_OP_PREFIX = 0x5b;
  private static final int DEVICE_OP = 0x82;

  private Aml() {}

  /** {@code Scope (name) { terms }}; at the root the name needs no {@code \} before it. */
  static byte[] scope(String name, byte[]... terms) {
    return packaged(new byte[] {SCOPE_OP}, join(nameSegment(name), join(terms)));
  }

  /** {@code Device (name) { terms }}. */
  static byte[] device(String name, byte[]... terms) {
    return packaged(
        new byte[] {EXT_OP_PREFIX, (byte) DEVICE_OP}, join(nameSegment(name), join(terms)));
  }

  /** {@code Name (name, value)}. */
  static byte[] name(String name, byte[] value) {
    return join(new byte[] {NAME_OP}, nameSegment(name), value);
  }

  /** {@code Buffer () { bytes }}. */
  static byte[] buffer(byte[] bytes) {
    return packaged(new byte[] {BUFFER_OP}, join(integer(bytes.length), bytes));
  }

  /** An unsigned integer in its shortest form. */
  static byte[] integer(long value) {
    if (value == 0 || value == 1) {
      return new byte[] {(byte) value}; // ZeroOp, OneOp
    }
    if (value > 0 && value <= 0xff) {
      return prefixed(0x0a, value, 1);
    }
    if (value > 0 && value <= 0xffff) {
      return prefixed(0x0b, value, 2);
    }
    if (value > 0 && value <= 0xffff_ffffL) {
      return prefixed(0x0c, value, 4);
    }
    return prefixed(0x0e, value, 8);
  }

  /**
   * {@code EisaId ("PNP0A08")}: three letters of five bits and four hexadecimal digits, big endian
   * (ACPI 6.5 19.6.36).
   */
  static byte[] eisaId(String id) {
    if (id.length() != 7) {
      throw new IllegalArgumentException("EISA id " + id + " has not seven characters");
    }
    int value = 0;
    for (int i = 0; i < 3; i++) {
      char letter = id.charAt(i);
      if (letter < 'A' || letter > 'Z') {
        throw new IllegalArgumentException("EISA id " + id + " starts not with three letters");
      }
      value = (value << 5) | (letter - '@');
    }
    value = (value << 16) | Integer.parseInt(id.substring(3), 16);
    return prefixed(0x0c, Integer.reverseBytes(value), 4);
  }

  /**
   * PkgLength (20.2.4) of a package whose content has {@code length} bytes: it counts itself; in
   * one byte up to 63, else the first byte holds the low four bits and the number of bytes that
   * follow.
   */
  static byte[] packageLength(int length) {
    if (length + 1 <= 0x3f) {
      return new byte[] {(byte) (length + 1)};
    }
    int more = length + 2 < 1 << 12 ? 1 : length + 3 < 1 << 20 ? 2 : 3;
    int total = length + 1 + more;
    if (total >= 1 << 28) {
      throw new IllegalArgumentException("a package of " + length + " bytes is too long for AML");
    }
    byte[] bytes = new byte[1 + more];
    bytes[0] = (byte) ((more << 6) | (total & 0xf));
    for (int i = 1; i <= more; i++) {
      bytes[i] = (byte) (total >>> (8 * i - 4));
    }
    return bytes;
  }

  static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] packaged(byte[] operation, byte[] content) {
    return join(operation, packageLength(content.length), content);
  }

  private static byte[] prefixed(int prefix, long value, int bytes) {
    byte[] encoded = new byte[1 + bytes];
    encoded[0] = (byte) prefix;
    for (int i = 0; i < bytes; i++) {
      encoded[1 + i] = (byte) (value >>> (8 * i));
    }
    return encoded;
  }

  private static byte[] nameSegment(String name) {
    boolean valid = !name.isEmpty() && name.length() <= 4;
    for (int i = 0; valid && i < name.length(); i++) {
      char c = name.charAt(i);
      valid = (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9');
    }
    if (!valid) {
      throw new IllegalArgumentException("'" + name + "' is not an AML name");
    }
    return (name + "___".substring(name.length() - 1)).getBytes(StandardCharsets.US_ASCII);
  }
}
