package io.twinkernel.harness.capture;

import java.util.ArrayList;
import java.util.List;

/** One connection, followed segment by segment, as an observer between both ends sees it. */
final class TcpFlow {

  /** What one end has sent. */
  private static final class Half {
    private final TcpSegment.Endpoint end;
    private boolean sent;
    private int first;
    private int next;
    private boolean acknowledged;
    private int lastAck;
    private int lastWindow;

    private Half(TcpSegment.Endpoint end) {
      this.end = end;
    }
  }

  private final Half client;
  private final Half server;
  private final List<Long> again = new ArrayList<>();
  private long segments;
  private long resets;
  private long duplicateAcks;
  private long needless;
  private long probes;
  private long last;
  private long longestSilence;
  private long silentFrom;

  TcpFlow(TcpSegment.Endpoint client, TcpSegment.Endpoint server) {
    this.client = new Half(client);
    this.server = new Half(server);
  }

  void add(TcpSegment segment) {
    boolean fromClient = segment.source().equals(client.end);
    Half from = fromClient ? client : server;
    Half to = fromClient ? server : client;
    if (segments++ > 0 && segment.atNanos() - last > longestSilence) {
      longestSilence = segment.atNanos() - last;
      silentFrom = last;
    }
    last = segment.atNanos();
    if (segment.has(TcpSegment.SYN) && from.sent && segment.sequence() != from.first) {
      from.sent = false; // another connection of the same ports
      from.acknowledged = false;
    }
    if (segment.has(TcpSegment.RST)) {
      resets++;
      return;
    }
    if (segment.length() > 0) {
      carried(segment, from);
    } else if (from.sent && segment.sequence() == from.next - 1) {
      probes++; // a window probe, or a keep-alive without data
    } else if (isDuplicateAck(segment, from, to)) {
      duplicateAcks++;
    }
    if (segment.duplicate()) {
      needless++;
    }
    if (segment.has(TcpSegment.ACK)) {
      from.acknowledged = true;
      from.lastAck = segment.acknowledged();
      from.lastWindow = segment.window();
    }
  }

  private void carried(TcpSegment segment, Half from) {
    int end = segment.sequence() + segment.length();
    if (from.sent && segment.sequence() - from.next < 0) {
      if (segment.length() == 1 && segment.payload() == 1 && segment.sequence() == from.next - 1) {
        probes++; // a keep-alive with the byte of old
      } else {
        again.add(segment.atNanos());
      }
    }
    if (!from.sent) {
      from.first = segment.sequence();
    }
    if (!from.sent || end - from.next > 0) {
      from.next = end;
    }
    from.sent = true;
  }

  /** By RFC 5681, section 2: nothing new, while the other end waits for an acknowledgment. */
  private static boolean isDuplicateAck(TcpSegment segment, Half from, Half to) {
    return from.acknowledged
        && segment.has(TcpSegment.ACK)
        && segment.acknowledged() == from.lastAck
        && segment.window() == from.lastWindow
        && to.sent
        && to.next - segment.acknowledged() > 0;
  }

  /** When each retransmission was: a segment that begins before what its sender sent already. */
  List<Long> retransmissions() {
    return List.copyOf(again);
  }

  long segments() {
    return segments;
  }

  long resets() {
    return resets;
  }

  long duplicateAcks() {
    return duplicateAcks;
  }

  /** How often an end was sent what it had: that was not lost, only its acknowledgment was late. */
  long needless() {
    return needless;
  }

  long probes() {
    return probes;
  }

  /** Longest time without a segment in either direction, ns. */
  long longestSilence() {
    return longestSilence;
  }

  /** When it began, in ns since 1970. */
  long silentFrom() {
    return silentFrom;
  }
}
