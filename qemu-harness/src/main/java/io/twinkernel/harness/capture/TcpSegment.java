package io.twinkernel.harness.capture;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The head of a TCP segment (RFC 9293) in an Ethernet frame. Of the payload only the length is
 * known: captures need not hold it.
 *
 * @param atNanos when, in ns since 1970
 * @param sequence 32 bits, unsigned
 * @param acknowledged 32 bits, unsigned; 0 without {@link #ACK}
 * @param flags its control bits
 * @param window as it stands in the header, not scaled
 * @param payload bytes of data
 * @param duplicate whether it reports that data came that was there already (D-SACK, RFC 2883)
 */
record TcpSegment(
    long atNanos,
    Endpoint source,
    Endpoint destination,
    int sequence,
    int acknowledged,
    int flags,
    int window,
    int payload,
    boolean duplicate) {

  static final int FIN = 1;
  static final int SYN = 2;
  static final int RST = 4;
  static final int ACK = 16;

  private static final int ETHERNET = 14;
  private static final int IPV4 = 0x0800;
  private static final int IPV6 = 0x86dd;
  private static final int TCP = 6;
  private static final int IPV6_HEADER = 40;
  private static final int SHORTEST_TCP = 20;
  private static final int SACK = 5; // option kinds, RFC 2018 and RFC 9293
  private static final int NO_OPERATION = 1;

  /** One end of a connection. */
  record Endpoint(InetAddress address, int port) {}

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** How far it moves its sender's sequence numbers on: data, and one each for SYN and FIN. */
  int length() {
    return payload + (has(SYN) ? 1 : 0) + (has(FIN) ? 1 : 0);
  }

  /** Reads a frame; empty if it holds no whole TCP header, or only a later part of a packet. */
  static Optional<TcpSegment> parse(Frame frame) {
    ByteBuffer in = frame.bytes();
    if (in.limit() < ETHERNET) {
      return Optional.empty();
    }
    return switch (Short.toUnsignedInt(in.getShort(12))) {
      case IPV4 -> overIpv4(frame.atNanos(), in);
      case IPV6 -> overIpv6(frame.atNanos(), in);
      default -> Optional.empty();
    };
  }

  private static Optional<TcpSegment> overIpv4(long at, ByteBuffer in) {
    if (in.limit() < ETHERNET + 20 || in.get(ETHERNET) >> 4 != 4) {
      return Optional.empty();
    }
    int header = (in.get(ETHERNET) & 15) * 4;
    boolean laterPart = (in.getShort(ETHERNET + 6) & 0x1fff) != 0;
    if (in.get(ETHERNET + 9) != TCP || laterPart || header < 20) {
      return Optional.empty();
    }
    int total = Short.toUnsignedInt(in.getShort(ETHERNET + 2));
    return of(at, in, ETHERNET + header, total - header, ETHERNET + 12, 4);
  }

  private static Optional<TcpSegment> overIpv6(long at, ByteBuffer in) {
    if (in.limit() < ETHERNET + IPV6_HEADER || in.get(ETHERNET + 6) != TCP) {
      return Optional.empty();
    }
    int length = Short.toUnsignedInt(in.getShort(ETHERNET + 4));
    return of(at, in, ETHERNET + IPV6_HEADER, length, ETHERNET + 8, 16);
  }

  private static Optional<TcpSegment> of(
      long at, ByteBuffer in, int start, int length, int addresses, int size) {
    if (in.limit() < start + SHORTEST_TCP) {
      return Optional.empty();
    }
    int header = ((in.get(start + 12) >> 4) & 15) * 4;
    int flags = in.get(start + 13) & 0x3f;
    if (header < SHORTEST_TCP || header > length) {
      return Optional.empty();
    }
    return Optional.of(
        new TcpSegment(
            at,
            endpoint(in, addresses, size, start),
            endpoint(in, addresses + size, size, start + 2),
            in.getInt(start + 4),
            (flags & ACK) != 0 ? in.getInt(start + 8) : 0,
            flags,
            Short.toUnsignedInt(in.getShort(start + 14)),
            length - header,
            (flags & ACK) != 0 && isDuplicate(in, start, Math.min(start + header, in.limit()))));
  }

  /** The first block lies before what is acknowledged, or in the second one. */
  private static boolean isDuplicate(ByteBuffer in, int start, int end) {
    int acknowledged = in.getInt(start + 8);
    int at = start + SHORTEST_TCP;
    while (at + 1 < end && in.get(at) != 0) {
      int length = in.get(at) == NO_OPERATION ? 1 : Byte.toUnsignedInt(in.get(at + 1));
      if (length == 0 || at + length > end) {
        return false;
      }
      if (in.get(at) == SACK && length >= 10) {
        int left = in.getInt(at + 2);
        return left - acknowledged < 0
            || (length >= 18 && left - in.getInt(at + 10) >= 0 && left - in.getInt(at + 14) < 0);
      }
      at += length;
    }
    return false;
  }

  private static Endpoint endpoint(ByteBuffer in, int address, int size, int port) {
    byte[] bytes = new byte[size];
    in.get(address, bytes);
    try {
      return new Endpoint(InetAddress.getByAddress(bytes), Short.toUnsignedInt(in.getShort(port)));
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(size + " bytes are an address", impossible);
    }
  }
}
