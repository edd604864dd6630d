package io.twinkernel.harness.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.report.DemoReport.Wire;
import io.twinkernel.harness.report.Distribution;
import io.twinkernel.harness.report.MeasureReport.Baseline;
import io.twinkernel.harness.report.MeasureReport.Run;
import io.twinkernel.harness.report.MeasureReport.StepFigures;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Each promise is broken by what breaks it, and by nothing else. */
final class StatisticsTest {

  private static final Wire CLEAN = new Wire(4000, 0, 0, 0, 0, 0, 0, 0, 0, 90, 5000);

  private static Run run(int number, double gap, double dump) {
    return new Run(
        number,
        true,
        List.of(),
        gap,
        5000,
        "freeze",
        Map.of("gap", gap),
        Map.of("A dump", dump, "B restore", 50.0),
        CLEAN);
  }

  private static Run with(Run run, boolean kept, Wire wire) {
    return new Run(
        run.number(),
        kept,
        kept ? List.of() : List.of("one"),
        run.gapMs(),
        run.gapAtMs(),
        run.gapIn(),
        run.parts(),
        run.steps(),
        wire);
  }

  private static List<String> broken(List<Run> runs, int asked, List<Double> kexec) {
    return new Statistics(runs, asked, new Targets())
        .checks(kexec, 1).entrySet().stream()
            .filter(check -> !check.getValue().ok())
            .map(Map.Entry::getKey)
            .collect(Collectors.toList());
  }

  private static final List<Run> GOOD = List.of(run(1, 200, 20), run(2, 250, 60), run(3, 190, 30));

  @Test
  void keepsAllWhereAllIsWell() {
    assertThat(broken(GOOD, 3, List.of(6000.0))).isEmpty();
  }

  @Test
  void aRunWithoutAReportBreaksAPromise() {
    assertThat(broken(GOOD, 4, List.of(6000.0))).containsExactly("every upgrade kept its promises");
    assertThat(broken(List.of(), 1, List.of())).hasSize(6);
  }

  @Test
  void longGapsBreakTheirs() {
    assertThat(broken(List.of(run(1, 200, 1), run(2, 501, 1), run(3, 240, 1)), 3, List.of(6000.0)))
        .containsExactly("the worst gap is at most 500 ms");
    assertThat(broken(List.of(run(1, 251, 1)), 1, List.of(6000.0)))
        .containsExactly("the median gap is at most 250 ms");
    assertThat(broken(GOOD, 3, List.of(3999.0)))
        .containsExactly("at least 20 times shorter than kexec");
    assertThat(broken(GOOD, 3, List.of())).containsExactly("at least 20 times shorter than kexec");
  }

  @Test
  void whatWentOverTheWireBreaksTheirs() {
    Wire again = new Wire(4000, 0, 2, 2, 2, 0, 0, 0, 0, 90, 5000);
    Wire reset = new Wire(4000, 0, 0, 0, 0, 0, 1, 0, 0, 90, 5000);
    Run one = run(1, 200, 1);
    assertThat(
            broken(List.of(one, with(one, true, again), with(one, true, again)), 3, List.of(6e3)))
        .containsExactly("no segment is sent again in the switch, in the median run");
    assertThat(broken(List.of(one, one, with(one, true, again)), 3, List.of(6e3))).isEmpty();
    assertThat(broken(List.of(one, with(one, true, reset)), 2, List.of(6e3)))
        .containsExactly("no reset on the wire");
    // A capture with holes proves nothing.
    Wire holes = new Wire(4000, 5, 0, 0, 0, 0, 0, 0, 0, 90, 5000);
    assertThat(broken(List.of(with(one, true, holes)), 1, List.of(6e3)))
        .containsExactly("no segment is sent again in the switch, in the median run");
    assertThat(broken(List.of(with(one, false, CLEAN)), 1, List.of(6e3)))
        .containsExactly("every upgrade kept its promises");
  }

  @Test
  void namesTheStepThatMakesTheWorst() {
    Statistics statistics = new Statistics(GOOD, 3, new Targets());
    assertThat(statistics.worst()).isEqualTo(GOOD.get(1));
    StepFigures first = statistics.steps().getFirst();
    assertThat(first.name()).isEqualTo("A dump");
    assertThat(first.inWorst()).isEqualTo(60);
    assertThat(first.excess()).isEqualTo(30);
    assertThat(statistics.steps().getLast().excess()).isZero();
  }

  @Test
  void comparesMedianWithMedian() {
    Statistics statistics = new Statistics(GOOD, 3, new Targets());
    assertThat(statistics.baseline(List.of(5000.0, 9000.0, 6000.0)))
        .isEqualTo(new Baseline(new Distribution(3, 5000, 6000, 9000, 9000), 30));
  }
}
