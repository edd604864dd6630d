package io.twinkernel.harness.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What many upgrades have in common: the content of measure.json. Times are milliseconds.
 *
 * @param accelerator what ran the machines
 * @param started ISO 8601, UTC
 * @param megabytes data in Redis, MiB
 * @param fault the fault that was asked for in each run
 * @param gap longest time without an answer on any connection, over the whole run
 * @param parts the same for each part of a run, by {@link DemoReport.Latency#part}
 * @param steps the phases and steps that lead to the gap, the one that explains the worst run first
 * @param worst number of the run with the longest gap
 * @param baseline the same by kexec, null if it was not asked for
 * @param checks each promise by name
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record MeasureReport(
    int version,
    String from,
    String to,
    String accelerator,
    String started,
    double durationMs,
    int megabytes,
    int connections,
    @Nullable String fault,
    @Nullable Distribution gap,
    Map<String, Distribution> parts,
    List<StepFigures> steps,
    int worst,
    @Nullable Distribution retransmissions,
    @Nullable Baseline baseline,
    List<Run> runs,
    Map<String, DemoReport.Check> checks) {

  /** Format of this record; grows when a reader would misread it. */
  public static final int VERSION = 1;

  /**
   * One upgrade.
   *
   * @param kept whether its own promises were kept
   * @param broken those that were not
   * @param gapAtMs when the longest gap began, since the upgrade was asked for
   * @param gapIn the phase that most of it lies in
   * @param parts longest gap of each part
   * @param steps length of each phase and step of the critical section; those of one name added up
   * @param wire as in {@link DemoReport}
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Run(
      int number,
      boolean kept,
      List<String> broken,
      double gapMs,
      double gapAtMs,
      String gapIn,
      Map<String, Double> parts,
      Map<String, Double> steps,
      DemoReport.@Nullable Wire wire) {}

  /**
   * One phase or step over all runs.
   *
   * @param inWorst its length in the run with the longest gap
   * @param excess how much longer that is than its median: what it adds to the worst run
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record StepFigures(String name, Distribution ms, double inWorst, double excess) {}

  /**
   * kexec of the same guest.
   *
   * @param gap from the last answer to the first of the new Redis, which is empty
   * @param ratio median gap of kexec by median gap of the upgrades
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Baseline(Distribution gap, double ratio) {}

  /** Whether all promises were kept. */
  public boolean kept() {
    return !checks.isEmpty() && checks.values().stream().allMatch(DemoReport.Check::ok);
  }
}
