package io.twinkernel.harness.report;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.Collection;

/**
 * How a figure is spread over runs. Percentiles are by nearest rank: each is a figure that was
 * seen; the median of an even number is the mean of the two in the middle.
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record Distribution(int count, double least, double median, double p90, double worst) {

  /**
   * Sorts the figures.
   *
   * @throws IllegalArgumentException without any
   */
  public static Distribution of(Collection<Double> figures) {
    double[] sorted = figures.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int count = sorted.length;
    if (count == 0) {
      throw new IllegalArgumentException("no figures");
    }
    double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    int ninety = (int) Math.ceil(0.9 * count) - 1;
    return new Distribution(count, sorted[0], median, sorted[ninety], sorted[count - 1]);
  }
}
