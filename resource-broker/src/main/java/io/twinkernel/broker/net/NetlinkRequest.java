package io.twinkernel.broker.net;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A netlink message being written: {@code struct nlmsghdr}, a fixed part, attributes (netlink(7)).
 * In the byte order of the machine, which is little endian.
 */
final class NetlinkRequest {

  static final int HEADER = 16;

  private final String what;
  private byte[] bytes = new byte[128];
  private int length = HEADER;

  /**
   * Starts a message.
   *
   * @param what the request in words, for its failure
   * @param type RTM_*
   * @param flags NLM_F_*
   */
  NetlinkRequest(String what, int type, int flags) {
    this.what = what;
    set(4, type, 2);
    set(6, flags, 2);
  }

  String what() {
    return what;
  }

  NetlinkRequest u8(int value) {
    return number(value, 1);
  }

  NetlinkRequest u16(int value) {
    return number(value, 2);
  }

  NetlinkRequest u32(int value) {
    return number(value, 4);
  }

  /** An attribute ({@code struct rtattr}), padded to four bytes. */
  NetlinkRequest attribute(int type, byte[] value) {
    u16(4 + value.length).u16(type);
    grow(value.length);
    System.arraycopy(value, 0, bytes, length, value.length);
    length = (length + value.length + 3) & ~3;
    return this;
  }

  NetlinkRequest attribute(int type, int value) {
    return u16(8).u16(type).u32(value);
  }

  NetlinkRequest attribute(int type, String value) {
    byte[] text = value.getBytes(StandardCharsets.UTF_8);
    return attribute(type, Arrays.copyOf(text, text.length + 1));
  }

  /** The message, its length and sequence number set. */
  byte[] message(int sequence) {
    set(0, length, 4);
    set(8, sequence, 4);
    return Arrays.copyOf(bytes, length);
  }

  private NetlinkRequest number(int value, int width) {
    grow(width);
    set(length, value, width);
    length += width;
    return this;
  }

  private void set(int at, int value, int width) {
    for (int i = 0; i < width; i++) {
      bytes[at + i] = (byte) (value >>> (8 * i));
    }
  }

  private void grow(int more) {
    if (length + more + 4 > bytes.length) {
      bytes = Arrays.copyOf(bytes, 2 * bytes.length + more);
    }
  }
}
