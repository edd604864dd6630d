package io.twinkernel.broker.measure;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was measured of one way between the kernels. */
public record Figures(List<RoundTrip> roundTrips, List<OneWay> oneWay) {

  public Figures {
    roundTrips = List.copyOf(roundTrips);
    oneWay = List.copyOf(oneWay);
  }

  /**
   * Messages there and back, one at a time.
   *
   * @param bytes of payload, each way
   */
  public record RoundTrip(int bytes, int samples, double median, double p90, double p99) {
    /**
     * @param nanos of each, in any order
     */
    static RoundTrip of(int bytes, long[] nanos) {
      long[] sorted = nanos.clone();
      Arrays.sort(sorted);
      return new RoundTrip(
          bytes, sorted.length, micros(sorted, 50), micros(sorted, 90), micros(sorted, 99));
    }

    /** The smallest value that so many of a hundred do not exceed. */
    private static double micros(long[] sorted, int percent) {
      int rank = (int) Math.ceil(sorted.length * percent / 100.0);
      return sorted[Math.max(rank, 1) - 1] / 1e3;
    }

    Map<String, Object> toJson() {
      var json = new LinkedHashMap<String, Object>();
      json.put("payload_bytes", bytes);
      json.put("samples", samples);
      json.put("median_us", median);
      json.put("p90_us", p90);
      json.put("p99_us", p99);
      return json;
    }
  }

  /**
   * Records one after the other, from the first one's sending to the acknowledgment of all.
   *
   * @param recordBytes of each
   * @param bytes of all
   */
  public record OneWay(int recordBytes, long bytes, long nanos) {
    double megabytesPerSecond() {
      return bytes * 1e3 / nanos;
    }

    Map<String, Object> toJson() {
      var json = new LinkedHashMap<String, Object>();
      json.put("record_bytes", recordBytes);
      json.put("bytes", bytes);
      json.put("mb_per_s", megabytesPerSecond());
      return json;
    }
  }

  /** Units are in the names. */
  public Map<String, Object> toJson() {
    var json = new LinkedHashMap<String, Object>();
    json.put("round_trips", roundTrips.stream().map(RoundTrip::toJson).toList());
    json.put("one_way", oneWay.stream().map(OneWay::toJson).toList());
    return json;
  }
}
