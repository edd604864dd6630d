package io.twinkernel.harness.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.harness.report.DemoReport.Wire;
import io.twinkernel.harness.report.MeasureReport.Run;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class RunReaderTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String REPORT =
      """
      { "gap_ms": 812.5, "gap_at_ms": 980,
        "checks": { "fine": { "ok": true, "reason": "" }, "not": { "ok": false, "reason": "3" } },
        "latency": [ { "part": "boot", "gap_ms": 40 }, { "part": "all", "gap_ms": 812.5 } ],
        "phases": [
          { "name": "boot", "from_ms": 0, "ms": 1000 },
          { "name": "freeze", "from_ms": 1000, "ms": 300 },
          { "name": "resume", "from_ms": 1300, "ms": 400 } ],
        "trace": [
          { "name": "restore", "side": "B", "ms": 100 }, { "name": "restore", "side": "B", "ms": 50 },
          { "name": "restore", "side": "A", "ms": 1 } ],
        "wire": { "segments": 9, "missed": 0, "retransmissions": 2, "retransmissions_since_freeze": 1, "retransmissions_in_switch": 1, "needless": 2, "resets": 0,
          "duplicate_acks": 3, "probes": 4, "silence_ms": 800, "silence_at_ms": 990 } }
      """;

  @Test
  void takesWhatIsCompared() throws IOException {
    Run run = RunReader.of(7, JSON.readTree(REPORT));
    assertThat(run.number()).isEqualTo(7);
    assertThat(run.kept()).isFalse();
    assertThat(run.broken()).containsExactly("not: 3");
    assertThat(run.gapMs()).isEqualTo(812.5);
    assertThat(run.gapIn()).isEqualTo("resume");
    assertThat(run.parts()).containsOnlyKeys("boot").containsEntry("boot", 40.0);
    assertThat(run.steps())
        .containsEntry("B restore", 150.0)
        .containsEntry("A restore", 1.0)
        .containsEntry("phase freeze", 300.0)
        .doesNotContainKey("phase boot");
    assertThat(run.wire()).isEqualTo(new Wire(9, 0, 2, 1, 1, 2, 0, 3, 4, 800, 990));
  }

  @Test
  void aGapIsWhereMostOfItLies() throws IOException {
    JsonNode phases = JSON.readTree(REPORT).path("phases");
    assertThat(RunReader.phaseOf(phases, -500, -10)).isEqualTo("before");
    assertThat(RunReader.phaseOf(phases, -500, 400)).isEqualTo("boot");
    assertThat(RunReader.phaseOf(phases, 900, 1290)).isEqualTo("freeze");
    assertThat(RunReader.phaseOf(phases, 1800, 1900)).isEqualTo("between phases");
  }

  @Test
  void aRunThatWasNotCapturedSaysSo() throws IOException {
    String without = REPORT.replaceAll("(?s)\"wire\": \\{.*?\\}", "\"wire\": null");
    assertThat(RunReader.of(1, JSON.readTree(without)).wire()).isNull();
  }

  @Test
  void whatIsNoReportIsRefused() {
    assertThatThrownBy(() -> RunReader.of(3, JSON.readTree("{}")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("run 3");
  }
}
