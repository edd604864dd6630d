package io.twinkernel.broker.net;

/**
 * An IPv4 or IPv6 address.
 *
 * @param wide whether it is IPv6
 * @param high the first 64 bits of an IPv6 address; 0 for IPv4
 * @param low the last 64 bits of an IPv6 address; for IPv4 its 32 bits
 */
public record IpAddress(boolean wide, long high, long low) {

  /** Refuses IPv4 addresses of more than 32 bits. */
  public IpAddress {
    if (!wide && (high != 0 || low >>> 32 != 0)) {
      throw new IllegalArgumentException("an IPv4 address has 32 bits");
    }
  }

  /** From four or sixteen bytes in network order. */
  public static IpAddress of(byte[] bytes) {
    return switch (bytes.length) {
      case 4 -> new IpAddress(false, 0, number(bytes, 0, 4));
      case 16 -> new IpAddress(true, number(bytes, 0, 8), number(bytes, 8, 16));
      default -> throw new IllegalArgumentException("an address of " + bytes.length + " bytes");
    };
  }

  /** From text: {@code 10.99.0.2} or {@code fd00::2}. */
  public static IpAddress parse(String text) {
    return text.indexOf(':') < 0 ? IpText.parseNarrow(text) : IpText.parseWide(text);
  }

  /** Four or sixteen bytes in network order. */
  public byte[] toBytes() {
    byte[] bytes = new byte[wide ? 16 : 4];
    for (int i = 0; i < bytes.length; i++) {
      int fromEnd = bytes.length - 1 - i;
      bytes[i] = (byte) (fromEnd >= 8 ? high >>> (8 * (fromEnd - 8)) : low >>> (8 * fromEnd));
    }
    return bytes;
  }

  /** How many bits it has: the longest prefix. */
  public int bits() {
    return wide ? 128 : 32;
  }

  /** The network it is in: all bits after the prefix are zero. */
  public IpAddress network(int prefix) {
    int zeros = bits() - prefix;
    long lowMask = zeros >= 64 ? 0 : -1L << zeros;
    long highMask = zeros <= 64 ? -1L : zeros == 128 ? 0 : -1L << (zeros - 64);
    return new IpAddress(wide, high & highMask, low & lowMask);
  }

  /** As RFC 5952 writes it. */
  @Override
  public String toString() {
    return IpText.format(this);
  }

  private static long number(byte[] bytes, int from, int to) {
    long value = 0;
    for (int i = from; i < to; i++) {
      value = (value << 8) | (bytes[i] & 0xff);
    }
    return value;
  }
}
