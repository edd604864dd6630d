package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Link;
import io.twinkernel.broker.measure.JoinedNic;
import io.twinkernel.broker.measure.Tally;
import io.twinkernel.broker.measure.TcpAnswers;
import io.twinkernel.broker.net.InterfaceAddress;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.Json;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** B's part of what {@link LinkMeter} measures. All of it runs on the link's thread. */
final class LinkAnswers {
  /** In MEASURE: what is to be done. */
  static final String WHAT = "what";

  /** Poll for so many {@link #MILLIS}; zero: use the doorbell again. */
  static final String POLL = "poll";

  /** Say how many {@link #RECORDS} came, and how many of them {@link #ALTERED}. */
  static final String TAKEN = "taken";

  /** Dial {@link #TO} by the NIC {@link #FUNCTION} with {@link #ADDRESS}, and answer there. */
  static final String TCP = "tcp";

  static final String MILLIS = "ms";
  static final String RECORDS = "records";
  static final String ALTERED = "altered";
  static final String FUNCTION = "function";
  static final String ADDRESS = "address";
  static final String TO = "to";
  static final String PORT = "port";

  /** In MEASURED: why it could not be done. */
  static final String FAILURE = "failure";

  private final Tally tally = new Tally();

  static boolean takes(int type) {
    return switch (type) {
      case FrameType.ECHO, FrameType.BULK, FrameType.MEASURE -> true;
      default -> false;
    };
  }

  void receive(Link link, int type, MemorySegment payload) throws IOException {
    switch (type) {
      // One at a time is on its way, so there is room for the answer.
      case FrameType.ECHO -> {
        int length = Math.toIntExact(payload.byteSize());
        link.send(FrameType.ECHOED, length, room -> copy(payload, room));
      }
      case FrameType.BULK -> tally.take(payload);
      case FrameType.MEASURE -> measure(link, json(payload));
      default -> throw new IOException("message " + type + " is none of a measurement's");
    }
  }

  private static int copy(MemorySegment from, MemorySegment to) {
    to.copyFrom(from);
    return Math.toIntExact(from.byteSize());
  }

  private void measure(Link link, Fields asked) throws IOException {
    switch (asked.text(WHAT)) {
      case POLL -> {
        answer(link, asked.values());
        link.poll(Duration.ofMillis(asked.number(MILLIS)));
      }
      case TAKEN -> {
        answer(link, Map.of(RECORDS, tally.records(), ALTERED, tally.altered()));
        tally.reset();
      }
      case TCP -> Thread.ofPlatform().name("measure").daemon().start(() -> dial(link, asked));
      default -> answer(link, Map.of(FAILURE, "this broker does not know " + asked.text(WHAT)));
    }
  }

  /** On a thread of its own: the link goes on. */
  private static void dial(Link link, Fields asked) {
    var answer = new HashMap<String, Object>();
    try {
      var to = new InetSocketAddress(asked.text(TO), (int) asked.number(PORT));
      try (var _ =
          JoinedNic.set(asked.text(FUNCTION), InterfaceAddress.parse(asked.text(ADDRESS)))) {
        TcpAnswers.serve(SocketChannel.open(to));
      }
    } catch (IOException | RuntimeException e) {
      answer.put(FAILURE, e.getMessage() == null ? e.toString() : e.getMessage());
    }
    try {
      answer(link, answer);
    } catch (IOException e) {
      KernelLog.say("A does not hear that TCP was measured: " + e.getMessage());
    }
  }

  private static void answer(Link link, Map<String, Object> json) throws IOException {
    link.send(FrameType.MEASURED, Json.write(json).getBytes(StandardCharsets.UTF_8));
  }

  static Fields json(MemorySegment payload) throws IOException {
    byte[] bytes = payload.toArray(ValueLayout.JAVA_BYTE);
    return new Fields(Json.parse(new String(bytes, StandardCharsets.UTF_8)));
  }
}
