package io.twinkernel.harness.measure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.harness.Main;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three upgrades and one kexec, as a user starts them; about three minutes. */
@Tag("machine")
final class MeasureTest {

  @TempDir Path out;

  @Test
  void comparesUpgradesWithKexec() throws Exception {
    // How fast the host is does not make this test fail; that every upgrade is whole does.
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Main.class.getName(),
                    "measure",
                    "--upgrades=2",
                    "--megabytes=16",
                    "--practice=4",
                    "--baseline=1",
                    "--median-at-most=10000",
                    "--worst-at-most=15000",
                    "--ratio-at-least=1",
                    "--rest-port=0",
                    "--bridge-port=0",
                    "--out=" + out))
            .inheritIO()
            .start();
    process.waitFor();

    JsonNode report = new ObjectMapper().readTree(out.resolve("measure.json").toFile());
    assertThat(report.path("runs")).hasSize(2);
    assertThat(report.path("gap").path("median").asDouble()).isPositive();
    assertThat(report.path("baseline").path("gap").path("count").asInt()).isEqualTo(1);
    assertThat(report.path("steps")).isNotEmpty();
    report
        .path("checks")
        .properties()
        .forEach(
            check -> {
              if (!check.getKey().contains("sent again")) {
                assertThat(check.getValue().path("ok").asBoolean()).as(check.toString()).isTrue();
              }
            });
    for (JsonNode run : report.path("runs")) {
      assertThat(run.path("wire").path("segments").asLong()).isGreaterThan(1000);
      assertThat(run.path("steps").path("B restore").asDouble()).isPositive();
    }
    assertThat(Files.readString(out.resolve("measure.html"))).contains("<svg", "B restore");
    assertThat(out.resolve("run-02").resolve("report.html")).exists();
  }
}
