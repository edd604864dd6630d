package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A rehearsal leaves the machine as it was, and says what the upgrade after it then shows. */
@Tag("machine")
final class RehearsalTest {
  private static final String ONLINE = "cat /sys/devices/system/cpu/online";
  private static final String SERVICE =
      "pidof redis-server; ls /sys/bus/pci/devices/0000:81:00.0/virtio*/net";

  /** An emulated machine is not always as fast. */
  private static final double ROUGHLY = 4;

  @TempDir Path folder;

  @Test
  void theUpgradeAfterItIsAsItSaid() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of("switch.practice", "8"))) {
      node.onA("dmesg -c");
      // Of a CPU that B gets, and not of the service.
      node.onA(
          "redis-server --port 6399 --save '' --server_cpulist 3 --daemonize yes --pidfile /run/p");
      String cpus = node.onA(ONLINE);
      String service = node.onA(SERVICE);
      String memory = node.onA("grep -c 'System RAM' /proc/iomem");
      String pinned = "grep Cpus_allowed_list /proc/$(cat /run/p)/status";
      String kept = node.onA(pinned);
      assertThat(kept).endsWith("\t3");

      String rehearsal = node.rehearse(3, 2);
      assertThat(node.upgrade(rehearsal).path("state").asText())
          .as(node.upgrade(rehearsal).toString())
          .isEqualTo("REHEARSED");
      assertThat(node.upgrade(rehearsal).path("owner").asText()).isEqualTo("primary");
      JsonNode figures =
          node.await(rehearsal, event -> event.detail().path("rehearsed").asBoolean()).detail();
      double estimated = figures.path("estimated_gap_ms").asDouble();
      assertThat(estimated)
          .isGreaterThanOrEqualTo(figures.path("to_commit_ms").asDouble())
          .isPositive();

      assertThat(node.onA(ONLINE)).isEqualTo(cpus);
      assertThat(node.onA(SERVICE)).isEqualTo(service);
      assertThat(node.onA("grep -c 'System RAM' /proc/iomem")).isEqualTo(memory);
      assertThat(node.onA(pinned)).isEqualTo(kept);
      assertThat(node.onA("cat /sys/kernel/twin/state")).isEqualTo("idle");
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
      assertThat(node.onA("dmesg -c")).doesNotContainPattern("WARNING:|BUG:|Call Trace");

      String upgrade = node.boot(3, 2);
      assertThat(node.finish(upgrade)).isEqualTo("COMPLETE");
      double gap =
          node.await(upgrade, event -> event.detail().has("gap_ms"))
              .detail()
              .path("gap_ms")
              .asDouble();
      assertThat(gap).isBetween(estimated / ROUGHLY, estimated * ROUGHLY);
    }
  }
}
