package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.tcp_repair_window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * A segment of a connection that no kernel sends by itself.
 *
 * <p>One tells the peer what had arrived before the connection was taken along. The kernel does not
 * send one of its own accord: the probe with which a socket leaves repair mode has a number that is
 * out of the peer's window (tcp_xmit_probe_skb, net/ipv4/tcp_output.c), and a peer does not look at
 * the acknowledgment of such a segment (RFC 9293, 3.10.7.4). It would send again what is here
 * already.
 *
 * <p>The other is what the peer had said last of a connection that is half closed: repair mode
 * makes established ones only.
 *
 * @param packet with its IP header
 * @param destination a {@code sockaddr}
 */
record TcpSegment(byte[] packet, byte[] destination) {
  private static final int IPV4_HEADER = 20;
  private static final int IPV6_HEADER = 40;
  private static final int IPV4_ADDRESS = 4;
  private static final int IPV6_ADDRESS = 16;
  private static final int SEGMENT = 20;
  private static final int HOPS = 64;
  private static final int TCP = 6;
  private static final int ACK = 0x10;
  private static final int FIN = 0x01;
  private static final int LARGEST_WINDOW = 0xffff;
  // RFC 7323, 3.2, after two bytes of no operation.
  private static final int TIMESTAMPS = 0x0101080a;
  private static final int TIMESTAMPS_SIZE = 12;

  /** What the peer does not know yet; empty if it knows all. */
  static Optional<TcpSegment> owed(TcpState state) {
    int acknowledged = window(state, tcp_repair_window.rcv_wup$offset());
    return acknowledged == state.receiveSequence() ? Optional.empty() : Optional.of(of(state));
  }

  private static int window(TcpState state, long field) {
    return ByteBuffer.wrap(state.window()).order(ByteOrder.nativeOrder()).getInt((int) field);
  }

  static TcpSegment of(TcpState state) {
    boolean timestamps = (state.options() & Linux.TCPI_OPT_TIMESTAMPS()) != 0;
    int length = SEGMENT + (timestamps ? TIMESTAMPS_SIZE : 0);
    ByteBuffer segment = ByteBuffer.allocate(length);
    segment.put(state.local(), 2, 2).put(state.peer(), 2, 2);
    // In the window, wherever between the unacknowledged and this the peer is.
    segment.putInt(state.sendSequence()).putInt(state.receiveSequence());
    segment.put((byte) ((length / Integer.BYTES) << 4)).put((byte) ACK);
    int room = window(state, tcp_repair_window.rcv_wnd$offset());
    segment.putShort(window(state, room, state.windowScales() >>> 16)).putInt(0);
    if (timestamps) {
      segment.putInt(TIMESTAMPS).putInt(state.timestamp());
    }
    return packet(state.local(), state.peer(), segment.array());
  }

  /**
   * The peer's last word on a connection that is {@link TcpState#isHalfClosed half closed}, for
   * this kernel's own socket of it: that it will send nothing more, or has heard that of us.
   */
  static TcpSegment ofPeer(TcpState state) {
    boolean ends = state.state() == TcpRepair.CLOSE_WAIT;
    ByteBuffer segment = ByteBuffer.allocate(SEGMENT);
    segment.put(state.peer(), 2, 2).put(state.local(), 2, 2);
    segment.putInt(state.nextByte()).putInt(state.sendSequence() - state.written().length);
    segment.put((byte) ((SEGMENT / Integer.BYTES) << 4)).put((byte) (ends ? ACK | FIN : ACK));
    int room = window(state, tcp_repair_window.snd_wnd$offset());
    // Without timestamps, which only have to be there in what comes by the network.
    segment.putShort(window(state, room, state.windowScales() & 0xffff)).putInt(0);
    return packet(state.peer(), state.local(), segment.array());
  }

  private static short window(TcpState state, int room, int scale) {
    boolean scaled = (state.options() & Linux.TCPI_OPT_WSCALE()) != 0;
    return (short) Math.min(scaled ? room >>> scale : room, LARGEST_WINDOW);
  }

  private static TcpSegment packet(byte[] source, byte[] target, byte[] segment) {
    byte[] from = address(source);
    byte[] to = address(target);
    ByteBuffer.wrap(segment).putShort(16, checksum(from, to, segment));
    return from.length == IPV4_ADDRESS ? ipv4(from, to, segment) : ipv6(from, to, segment, target);
  }

  /** The kernel adds length, number and checksum (raw_send_hdrinc, net/ipv4/raw.c). */
  private static TcpSegment ipv4(byte[] from, byte[] to, byte[] segment) {
    ByteBuffer packet = ByteBuffer.allocate(IPV4_HEADER + segment.length);
    packet.put(0, (byte) 0x45).put(8, (byte) HOPS).put(9, (byte) TCP);
    packet.put(12, from).put(16, to).put(IPV4_HEADER, segment);
    ByteBuffer address = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    address.putShort(0, (short) Linux.AF_INET()).put(4, to);
    return new TcpSegment(packet.array(), address.array());
  }

  /**
   * @param target with the scope of a link-local address
   */
  private static TcpSegment ipv6(byte[] from, byte[] to, byte[] segment, byte[] target) {
    ByteBuffer packet = ByteBuffer.allocate(IPV6_HEADER + segment.length);
    packet.put(0, (byte) 0x60).putShort(4, (short) segment.length);
    packet.put(6, (byte) TCP).put(7, (byte) HOPS);
    packet.put(8, from).put(24, to).put(IPV6_HEADER, segment);
    byte[] address = target.clone();
    // To a raw socket the port is a protocol.
    Arrays.fill(address, 2, 4, (byte) 0);
    return new TcpSegment(packet.array(), address);
  }

  boolean isIpv6() {
    return packet[0] >>> 4 == 6;
  }

  /** Of a {@code sockaddr}; an IPv4 address that an IPv6 socket has is one all the same. */
  static byte[] address(byte[] sockaddr) {
    if (ByteBuffer.wrap(sockaddr).order(ByteOrder.nativeOrder()).getShort(0) == Linux.AF_INET()) {
      return Arrays.copyOfRange(sockaddr, 4, 4 + IPV4_ADDRESS);
    }
    byte[] address = Arrays.copyOfRange(sockaddr, 8, 8 + IPV6_ADDRESS);
    boolean mapped = address[10] == -1 && address[11] == -1;
    for (int i = 0; i < 10; i++) {
      mapped &= address[i] == 0;
    }
    return mapped ? Arrays.copyOfRange(address, 12, IPV6_ADDRESS) : address;
  }

  /** RFC 9293, 3.1: over the addresses, protocol and length, and the segment, its own field 0. */
  private static short checksum(byte[] from, byte[] to, byte[] segment) {
    int sum = TCP + segment.length + sum(from) + sum(to) + sum(segment);
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return (short) ~sum;
  }

  private static int sum(byte[] bytes) {
    int sum = 0;
    for (int i = 0; i < bytes.length; i += 2) {
      sum += ((bytes[i] & 0xff) << 8) | (bytes[i + 1] & 0xff);
    }
    return sum;
  }
}
