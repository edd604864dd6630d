package io.twinkernel.harness.capture;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What TCP made of the connections to a server. Times are ns on the clock of {@link
 * System#nanoTime}.
 *
 * @param segments all that were captured
 * @param missed packets that went by uncaptured: then the other figures are lower bounds
 * @param retransmissions when each was, in order
 * @param needless how many of them the other end said it had already
 * @param resets segments with RST
 * @param duplicateAcks acknowledgments that asked for what was missing
 * @param probes of windows and of idle connections
 * @param longestSilence longest time without a segment on a connection, in ns
 * @param silentFrom when that began
 */
public record WireTrace(
    long segments,
    long missed,
    List<Long> retransmissions,
    long needless,
    long resets,
    long duplicateAcks,
    long probes,
    long longestSilence,
    long silentFrom) {

  public WireTrace {
    retransmissions = List.copyOf(retransmissions);
  }

  /** Retransmissions at an instant or later. */
  public long retransmissionsSince(long nanoTime) {
    return retransmissions.stream().filter(at -> at - nanoTime >= 0).count();
  }

  /** Retransmissions from one instant to another. */
  public long retransmissionsBetween(long fromNanoTime, long toNanoTime) {
    return retransmissionsSince(fromNanoTime) - retransmissionsSince(toNanoTime);
  }

  /**
   * Reads a capture.
   *
   * @param port of the server
   * @param toNanoTime what to add to a time since 1970
   */
  static WireTrace read(Path file, int port, long toNanoTime, long missed) throws IOException {
    List<TcpSegment> segments =
        PcapFile.read(file).stream().map(TcpSegment::parse).flatMap(Optional::stream).toList();
    return of(segments, port, toNanoTime, missed);
  }

  static WireTrace of(List<TcpSegment> segments, int port, long toNanoTime, long missed) {
    Map<TcpSegment.Endpoint, TcpFlow> flows = new LinkedHashMap<>();
    for (TcpSegment segment : segments) {
      boolean toServer = segment.destination().port() == port;
      if (!toServer && segment.source().port() != port) {
        continue;
      }
      TcpSegment.Endpoint client = toServer ? segment.source() : segment.destination();
      TcpSegment.Endpoint server = toServer ? segment.destination() : segment.source();
      flows.computeIfAbsent(client, one -> new TcpFlow(one, server)).add(segment);
    }
    List<TcpFlow> all = List.copyOf(flows.values());
    Optional<TcpFlow> quietest =
        all.stream().max(Comparator.comparingLong(TcpFlow::longestSilence));
    return new WireTrace(
        all.stream().mapToLong(TcpFlow::segments).sum(),
        missed,
        all.stream()
            .flatMap(flow -> flow.retransmissions().stream())
            .map(at -> at + toNanoTime)
            .sorted()
            .toList(),
        all.stream().mapToLong(TcpFlow::needless).sum(),
        all.stream().mapToLong(TcpFlow::resets).sum(),
        all.stream().mapToLong(TcpFlow::duplicateAcks).sum(),
        all.stream().mapToLong(TcpFlow::probes).sum(),
        quietest.map(TcpFlow::longestSilence).orElse(0L),
        quietest.map(flow -> flow.silentFrom() + toNanoTime).orElse(0L));
  }
}
