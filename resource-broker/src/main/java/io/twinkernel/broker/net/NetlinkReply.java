package io.twinkernel.broker.net;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A received netlink message.
 *
 * @param bytes from its {@code struct nlmsghdr} to its end
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record NetlinkReply(byte[] bytes) {

  int type() {
    return u16(4);
  }

  int flags() {
    return u16(6);
  }

  int sequence() {
    return u32(8);
  }

  /** A byte of the fixed part, whose first has offset 0. */
  int fixed8(int at) {
    return bytes[NetlinkRequest.HEADER + at] & 0xff;
  }

  int fixed16(int at) {
    return u16(NetlinkRequest.HEADER + at);
  }

  int fixed32(int at) {
    return u32(NetlinkRequest.HEADER + at);
  }

  /**
   * The value of an attribute; null where it is absent.
   *
   * @param fixed size of the fixed part before the attributes
   */
  byte @Nullable [] attribute(int fixed, int type) {
    int at = NetlinkRequest.HEADER + fixed;
    while (at + 4 <= bytes.length) {
      int length = u16(at);
      if (length < 4 || at + length > bytes.length) {
        return null;
      }
      if ((u16(at + 2) & 0x3fff) == type) { // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
        return Arrays.copyOfRange(bytes, at + 4, at + length);
      }
      at += (length + 3) & ~3;
    }
    return null;
  }

  int number(int fixed, int type, int otherwise) {
    byte[] value = attribute(fixed, type);
    return value == null || value.length < 4 ? otherwise : number(value, 0);
  }

  @Nullable IpAddress address(int fixed, int type) {
    byte[] value = attribute(fixed, type);
    return value == null ? null : IpAddress.of(value);
  }

  String text(int fixed, int type) {
    byte[] value = attribute(fixed, type);
    return value == null || value.length == 0
        ? ""
        : new String(value, 0, value.length - 1, StandardCharsets.UTF_8);
  }

  static int number(byte[] bytes, int at) {
    return (bytes[at] & 0xff)
        | (bytes[at + 1] & 0xff) << 8
        | (bytes[at + 2] & 0xff) << 16
        | bytes[at + 3] << 24;
  }

  private int u16(int at) {
    return (bytes[at] & 0xff) | (bytes[at + 1] & 0xff) << 8;
  }

  private int u32(int at) {
    return number(bytes, at);
  }
}
