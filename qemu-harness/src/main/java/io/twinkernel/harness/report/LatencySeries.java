package io.twinkernel.harness.report;

import io.twinkernel.harness.client.ConnectionRecord;
import io.twinkernel.harness.client.Sample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.HdrHistogram.Histogram;

/** All answers of all connections in the order of their sending, cut into what reports show. */
public final class LatencySeries {

  private static final double NANOS_PER_MILLI = 1e6;
  private static final long HIGHEST_MICROS = 3_600_000_000L;

  private final List<Sample> samples;
  private final List<ConnectionRecord> connections;
  private final long origin;

  /**
   * Sorts what the connections recorded.
   *
   * @param origin {@link System#nanoTime} that counts as 0 ms
   */
  public LatencySeries(List<ConnectionRecord> connections, long origin) {
    this.connections = List.copyOf(connections);
    this.origin = origin;
    this.samples =
        connections.stream()
            .flatMap(connection -> connection.samples().stream())
            .sorted(Comparator.comparingLong(Sample::sent))
            .toList();
  }

  /** The series in at most {@code count} stretches of the same length; empty ones are left out. */
  public List<DemoReport.Point> points(int count) {
    if (samples.isEmpty()) {
      return List.of();
    }
    long first = samples.getFirst().sent();
    long stretch = Math.max(1, (samples.getLast().sent() - first) / count + 1);
    List<DemoReport.Point> points = new ArrayList<>();
    int at = 0;
    while (at < samples.size()) {
      long number = (samples.get(at).sent() - first) / stretch;
      int end = at;
      while (end < samples.size() && (samples.get(end).sent() - first) / stretch == number) {
        end++;
      }
      long[] latencies =
          samples.subList(at, end).stream().mapToLong(Sample::latencyNanos).sorted().toArray();
      points.add(
          new DemoReport.Point(
              millis(first + number * stretch + stretch / 2 - origin),
              millis(latencies[latencies.length / 2]),
              millis(latencies[latencies.length - 1])));
      at = end;
    }
    return points;
  }

  /** Latency of the answers that were under way between two instants of {@link System#nanoTime}. */
  public DemoReport.Latency between(String part, long from, long to) {
    Histogram micros = new Histogram(HIGHEST_MICROS, 3);
    for (Sample sample : samples) {
      if (sample.answered() >= from && sample.sent() < to) {
        micros.recordValue(Math.min(HIGHEST_MICROS, sample.latencyNanos() / 1000));
      }
    }
    return new DemoReport.Latency(
        part,
        micros.getTotalCount(),
        micros.getValueAtPercentile(50) / 1000.0,
        micros.getValueAtPercentile(99) / 1000.0,
        micros.getMaxValue() / 1000.0,
        millis(longestGap(from, to)));
  }

  /** Longest time between two answers of one connection of which the later came in the part. */
  private long longestGap(long from, long to) {
    long longest = 0;
    for (ConnectionRecord connection : connections) {
      long[] answers =
          connection.samples().stream()
              .mapToLong(Sample::answered)
              .filter(answered -> answered < to)
              .toArray();
      int start = Math.max(1, firstAtOrAfter(answers, from));
      for (int i = start; i < answers.length; i++) {
        longest = Math.max(longest, answers[i] - answers[i - 1]);
      }
    }
    return longest;
  }

  private static int firstAtOrAfter(long[] sorted, long value) {
    int found = Arrays.binarySearch(sorted, value);
    return found >= 0 ? found : -found - 1;
  }

  private static double millis(long nanos) {
    return Math.round(nanos / NANOS_PER_MILLI * 1000) / 1000.0;
  }
}
