package io.twinkernel.harness.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.client.ConnectionRecord;
import io.twinkernel.harness.client.Ended;
import io.twinkernel.harness.client.Sample;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LatencySeriesTest {

  private static final long MS = 1_000_000;

  /** Requests every 10 ms, each answered in 1 ms, but for one at 500 ms that takes 300 ms. */
  private static LatencySeries series() {
    List<Sample> samples = new ArrayList<>();
    long at = 0;
    for (int i = 0; i < 100; i++) {
      long latency = i == 50 ? 300 * MS : MS;
      samples.add(new Sample(0, true, at, at + latency));
      at += Math.max(latency, 10 * MS);
    }
    return new LatencySeries(
        List.of(new ConnectionRecord(0, new Ended.Open(), samples, 100, 0, 0, 300 * MS, 0)), 0);
  }

  @Test
  void keepsTheWorstWhenItThinsOut() {
    List<DemoReport.Point> points = series().points(20);
    assertThat(points).hasSizeLessThanOrEqualTo(20);
    assertThat(points).extracting(DemoReport.Point::medianMs).allMatch(median -> median == 1.0);
    assertThat(points)
        .filteredOn(point -> point.maxMs() > 1)
        .singleElement()
        .satisfies(
            worst -> {
              assertThat(worst.maxMs()).isEqualTo(300);
              assertThat(worst.atMs()).isBetween(450.0, 550.0);
            });
  }

  @Test
  void tellsThePartsApart() {
    LatencySeries series = series();
    assertThat(series.between("before", 0, 400 * MS).maxMs()).isLessThan(1.1);
    assertThat(series.between("before", 0, 400 * MS).gapMs()).isEqualTo(10);
    DemoReport.Latency gap = series.between("gap", 495 * MS, 805 * MS);
    assertThat(gap.maxMs()).isBetween(299.0, 301.0);
    assertThat(gap.gapMs()).isEqualTo(309);
    assertThat(series.between("after", 811 * MS, Long.MAX_VALUE).gapMs()).isEqualTo(10);
    assertThat(series.between("never", 9_000 * MS, Long.MAX_VALUE).answers()).isZero();
  }
}
