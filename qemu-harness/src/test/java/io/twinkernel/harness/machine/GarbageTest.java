package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Garbage in the shared region, written from outside the machine while both kernels use it: neither
 * kernel is harmed, and A takes the machine back unasked.
 */
@Tag("machine")
final class GarbageTest {

  /** All of the region, as {@link TestNode} has it set up. */
  private static final int BYTES = TestNode.SHARED_MEGABYTES << 20;

  /** Header, tables and parking area. */
  private static final int HEAD = 2 << 20;

  /** Of struct twin_shared: ring_offset[2]. */
  private static final int RING_OFFSETS = 48;

  /** Of a ring: its positions, and what they point to at first. */
  private static final int RING = 4096;

  private static final Duration STORM = Duration.ofSeconds(4);

  @TempDir Path folder;

  /** About a minute. */
  @Test
  void harmsNeitherKernel() throws Exception {
    long seed = Long.getLong("twin.seed", System.nanoTime());
    System.out.println("-Dtwin.seed=" + seed);
    Random random = new Random(seed);
    try (TestNode node = TestNode.start(folder, Map.of())) {
      String upgrade = node.boot();
      long start = Long.decode(node.onA("cat /sys/kernel/twin/shared_start"));
      ByteBuffer region = node.memory(start, BYTES);
      assertThat(region.getLong(0)).isEqualTo(0x315248534e495754L);

      int[] rings = {region.getInt(RING_OFFSETS), region.getInt(RING_OFFSETS + 4)};
      assertThat(rings[0]).isBetween(HEAD / 16, BYTES);
      assertThat(rings[1]).isBetween(HEAD / 16, BYTES);

      long end = System.nanoTime() + STORM.toNanos();
      while (System.nanoTime() < end) {
        // Half of it into the header, where the modules look ten times a second.
        int at =
            switch (random.nextInt(8)) {
              case 0 -> rings[0] + random.nextInt(RING);
              case 1 -> rings[1] + random.nextInt(RING);
              case 2, 3 -> random.nextInt(HEAD - 8);
              default -> random.nextInt(256);
            };
        region.putLong(at, random.nextInt(4) == 0 ? random.nextInt(64) : random.nextLong());
      }
      node.await("A's word", () -> node.upgrade(upgrade).path("terminal").asBoolean());
      assertThat(node.upgrade(upgrade).path("state").asText()).isEqualTo("ROLLED_BACK");
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
      assertThat(node.onA("cat /sys/devices/system/cpu/online")).isEqualTo("0-3");
      String log = "Oops|BUG:|WARNING:|general protection|Kernel panic|Call Trace";
      assertThat(node.onA("dmesg -c")).doesNotContainPattern(log);
      assertThat(node.bootLog()).doesNotContainPattern(log);
    }
  }
}
