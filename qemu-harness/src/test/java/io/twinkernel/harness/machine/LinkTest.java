package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.qemu.MachineSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The link is measured between two real kernels: everything comes back as it was sent, by each way,
 * and what was used for it is as it was.
 */
@Tag("machine")
final class LinkTest {

  private static final int SAMPLES = 200;

  /** Of the NIC that is there for TCP, on whichever kernel. */
  private static final String ADDRESSES = "ip -o addr show | grep -c 198.18.0 || true";

  @TempDir Path folder;

  @Test
  void carriesEverythingUnalteredByEachWayAndLeavesNothingBehind() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of(TestNode.JOINED, MachineSpec.JOINED_NICS))) {
      UpgradeEvent measured = node.bootAndMeasure(SAMPLES, 3, 2);
      JsonNode figures = measured.detail().path("link");
      System.out.println(figures.toPrettyString());
      for (String way : new String[] {"doorbell", "polling", "tcp"}) {
        isPlausible(way, figures.path(way));
      }
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
      assertThat(node.onA(ADDRESSES)).isEqualTo("0");
      assertThat(node.onB(ADDRESSES)).isEqualTo("0");

      // By the doorbell again, which a side that still polls would neither ring nor wait for.
      assertThat(node.finish(measured.upgrade())).isEqualTo("COMPLETE");
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
    }
  }

  private static void isPlausible(String way, JsonNode figures) {
    assertThat(figures.path("round_trips")).as(way).hasSize(2);
    for (JsonNode one : figures.path("round_trips")) {
      assertThat(one.path("samples").asInt()).as(way).isBetween(1, SAMPLES);
      double median = one.path("median_us").asDouble();
      assertThat(median).as(way).isBetween(0.1, 1e6);
      assertThat(one.path("p90_us").asDouble()).as(way).isGreaterThanOrEqualTo(median);
      assertThat(one.path("p99_us").asDouble())
          .as(way)
          .isGreaterThanOrEqualTo(one.path("p90_us").asDouble());
    }
    assertThat(figures.path("one_way")).as(way).hasSize(2);
    for (JsonNode one : figures.path("one_way")) {
      assertThat(one.path("bytes").asLong())
          .as(way)
          .isGreaterThanOrEqualTo(one.path("record_bytes").asLong());
      assertThat(one.path("mb_per_s").asDouble()).as(way).isBetween(0.1, 1e5);
    }
  }
}
