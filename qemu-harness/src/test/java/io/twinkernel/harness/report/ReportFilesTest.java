package io.twinkernel.harness.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.twinkernel.harness.report.DemoReport.Check;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xml.sax.InputSource;

final class ReportFilesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  private static ObjectNode sample() throws Exception {
    return (ObjectNode) JSON.readTree(ReportFiles.json(SampleReport.make(SampleReport.kept())));
  }

  @Test
  void writesWhatTheSchemaSays() throws Exception {
    ReportFiles.write(SampleReport.make(SampleReport.kept()), directory);
    JsonNode report = JSON.readTree(directory.resolve("report.json").toFile());
    assertThat(report.path("outcome").asText()).isEqualTo("completed");
    assertThat(report.path("gap_ms").asDouble()).isEqualTo(812.4);
    assertThat(report.path("kernel_a_boot_ms").asDouble()).isEqualTo(29_000);
    assertThat(report.path("writes_acknowledged").asLong()).isEqualTo(6779);
    assertThat(report.path("after").path("b").path("redis_pid").asLong()).isEqualTo(5001);
    assertThat(ReportFiles.faults(report.toString())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "outcome",
        "from",
        "to",
        "accelerator",
        "gap_ms",
        "connections_open",
        "connections_reset",
        "writes_acknowledged",
        "writes_lost",
        "writes_duplicated",
        "phases",
        "checks"
      })
  void aReportWithoutAPromisedKeyIsNone(String key) throws Exception {
    ObjectNode report = sample();
    report.remove(key);
    assertThat(ReportFiles.faults(report.toString())).isNotEmpty();
  }

  @Test
  void aReportWithAWrongValueIsNone() throws Exception {
    assertThat(ReportFiles.faults(sample().put("outcome", "fine").toString())).isNotEmpty();
    assertThat(ReportFiles.faults(sample().put("writes_lost", -1).toString())).isNotEmpty();
    assertThat(ReportFiles.faults(sample().put("surprise", 1).toString())).isNotEmpty();
  }

  @Test
  void isKeptOnlyIfEveryPromiseIs() {
    Check kept = new Check(true, "yes");
    Check broken = new Check(false, "3 of 6779");
    assertThat(SampleReport.make(Map.of("one", kept)).kept()).isTrue();
    assertThat(SampleReport.make(Map.of()).kept()).isFalse();
    assertThat(SampleReport.make(Map.of("one", kept, "another", broken)).kept()).isFalse();
  }

  @Test
  void marksAndDurationsAreShort() {
    assertThat(Svg.mark(-0.0001)).isEqualTo("0");
    assertThat(Svg.mark(500)).isEqualTo("500 ms");
    assertThat(Svg.mark(0.1)).isEqualTo("0.1 ms");
    assertThat(Svg.mark(15000)).isEqualTo("15 s");
    assertThat(Svg.mark(2500)).isEqualTo("2.5 s");
    assertThat(Svg.duration(4772.3)).isEqualTo("4.77 s");
    assertThat(Svg.duration(81.2)).isEqualTo("81 ms");
    assertThat(Svg.duration(0.271)).isEqualTo("0.27 ms");
    assertThat(Svg.tick(43_000)).isEqualTo(5000);
  }

  @Test
  void thePageStandsAloneAndIsWellFormed() throws Exception {
    ReportFiles.write(
        SampleReport.make(Map.of("a < b & \"c\"", new Check(false, "<script>"))), directory);
    String page = Files.readString(directory.resolve("report.html"));
    assertThat(page)
        .contains("<svg", "polyline", "812 ms", "prefers-color-scheme: dark", "restore &lt;all&gt;")
        .doesNotContain("<script", "<link", "http://", "https://", "@import", "src=");
    // But for the doctype and the empty elements it is XML, so a parser sees what does not close.
    String xml = page.replaceFirst("<!doctype html>\n", "").replaceAll("<(meta[^>]*)>", "<$1/>");
    var document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(xml)));
    assertThat(document.getElementsByTagName("svg").getLength()).isEqualTo(3);
    assertThat(document.getElementsByTagName("circle").getLength()).isEqualTo(240);
  }
}
