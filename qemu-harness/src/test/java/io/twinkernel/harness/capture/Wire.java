package io.twinkernel.harness.capture;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Makes segments, frames and capture files as they come from a tap. */
final class Wire {

  static final int PORT = 6379;
  private static final int ETHERNET = 14;
  private static final int TCP = 20;

  private Wire() {}

  static TcpSegment.Endpoint end(int port, int size) {
    byte[] address = new byte[size];
    address[0] = 10;
    address[size - 1] = (byte) (port == PORT ? 2 : 1);
    try {
      return new TcpSegment.Endpoint(InetAddress.getByAddress(address), port);
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  static TcpSegment random(SplittableRandom random, long at) {
    int size = random.nextBoolean() ? 4 : 16;
    boolean toServer = random.nextBoolean();
    int client = 1 + random.nextInt(PORT - 1);
    int flags = random.nextInt(64);
    return new TcpSegment(
        at,
        end(toServer ? client : PORT, size),
        end(toServer ? PORT : client, size),
        random.nextInt(),
        (flags & TcpSegment.ACK) != 0 ? random.nextInt() : 0,
        flags,
        random.nextInt(1 << 16),
        random.nextInt(2000),
        false);
  }

  /** With the payload left out, as a short snapshot length does. */
  static ByteBuffer frame(TcpSegment segment, SplittableRandom random) {
    byte[] from = segment.source().address().getAddress();
    byte[] to = segment.destination().address().getAddress();
    int options = random.nextInt(11) * 4;
    int ip = from.length == 4 ? 20 + random.nextInt(11) * 4 : 40;
    ByteBuffer frame = ByteBuffer.allocate(ETHERNET + ip + TCP + options);
    frame.putShort(12, (short) (from.length == 4 ? 0x0800 : 0x86dd));
    int rest = TCP + options + segment.payload();
    if (from.length == 4) {
      frame.put(ETHERNET, (byte) (0x40 | ip / 4)).putShort(ETHERNET + 2, (short) (ip + rest));
      frame.put(ETHERNET + 9, (byte) 6).put(ETHERNET + 12, from).put(ETHERNET + 16, to);
    } else {
      frame.put(ETHERNET, (byte) 0x60).putShort(ETHERNET + 4, (short) rest);
      frame.put(ETHERNET + 6, (byte) 6).put(ETHERNET + 8, from).put(ETHERNET + 24, to);
    }
    int tcp = ETHERNET + ip;
    frame.putShort(tcp, (short) segment.source().port());
    frame.putShort(tcp + 2, (short) segment.destination().port());
    frame.putInt(tcp + 4, segment.sequence()).putInt(tcp + 8, segment.acknowledged());
    frame.put(tcp + 12, (byte) (((TCP + options) / 4) << 4)).put(tcp + 13, (byte) segment.flags());
    frame.putShort(tcp + 14, (short) segment.window());
    return frame;
  }

  static ByteBuffer file(List<Frame> frames, boolean nanos, ByteOrder order) {
    ByteBuffer file =
        ByteBuffer.allocate(
            24 + frames.stream().mapToInt(frame -> 16 + frame.bytes().remaining()).sum());
    file.order(order).putInt(nanos ? 0xa1b23c4d : 0xa1b2c3d4).putShort((short) 2);
    file.putShort((short) 4).putInt(0).putInt(0).putInt(65535).putInt(1);
    for (Frame frame : frames) {
      file.putInt((int) (frame.atNanos() / 1_000_000_000L));
      file.putInt((int) (frame.atNanos() % 1_000_000_000L / (nanos ? 1 : 1000)));
      file.putInt(frame.bytes().remaining()).putInt(frame.bytes().remaining() + 1400);
      file.put(frame.bytes().duplicate());
    }
    return file.flip();
  }

  /** A dialogue over one connection; each call adds a segment, a millisecond after the last. */
  static final class Dialogue {
    private final TcpSegment.Endpoint client;
    private final TcpSegment.Endpoint server = end(PORT, 4);
    private final List<TcpSegment> segments = new ArrayList<>();
    private int clientNext;
    private int serverNext;
    private long now;

    Dialogue(int port, int clientStart, int serverStart) {
      client = end(port, 4);
      clientNext = clientStart;
      serverNext = serverStart;
      clientNext += say(true, clientNext, 0, TcpSegment.SYN, 0);
      serverNext += say(false, serverNext, clientNext, TcpSegment.SYN | TcpSegment.ACK, 0);
      acknowledge(true);
    }

    int say(boolean fromClient, int sequence, int ack, int flags, int payload) {
      now += 1_000_000;
      TcpSegment segment =
          new TcpSegment(
              now,
              fromClient ? client : server,
              fromClient ? server : client,
              sequence,
              ack,
              flags,
              512,
              payload,
              false);
      segments.add(segment);
      return segment.length();
    }

    /** New data, which acknowledges all there is. */
    void data(boolean fromClient, int bytes) {
      if (fromClient) {
        clientNext += say(true, clientNext, serverNext, TcpSegment.ACK, bytes);
      } else {
        serverNext += say(false, serverNext, clientNext, TcpSegment.ACK, bytes);
      }
    }

    void acknowledge(boolean fromClient) {
      say(
          fromClient,
          fromClient ? clientNext : serverNext,
          fromClient ? serverNext : clientNext,
          TcpSegment.ACK,
          0);
    }

    /** The last bytes once more. */
    void again(boolean fromClient, int bytes) {
      say(
          fromClient,
          (fromClient ? clientNext : serverNext) - bytes,
          fromClient ? serverNext : clientNext,
          TcpSegment.ACK,
          bytes);
    }

    void silence(long nanos) {
      now += nanos;
    }

    int next(boolean ofClient) {
      return ofClient ? clientNext : serverNext;
    }

    List<TcpSegment> segments() {
      return segments;
    }
  }
}
