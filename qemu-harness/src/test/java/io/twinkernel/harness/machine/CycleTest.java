package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A kernel beside which many twins booted and were undone is what it was: nothing leaks, nothing is
 * lost, nothing is said. {@code -Dtwin.test.cycles=100} for more than a few.
 */
@Tag("machine")
final class CycleTest {

  private static final int CYCLES = Integer.getInteger("twin.test.cycles", 1);

  /** Until what is made once is there: compiled code, slabs, per-CPU caches. */
  private static final int WARM_UP = 1;

  /**
   * Kilobytes that come and go whatever happens: free memory was seen 7 MB up and down, slabs half
   * a megabyte up, with no trend.
   */
  private static final long NOISE = 24 * 1024;

  private static final long SLAB_NOISE = 2048;

  /** Kilobytes that a cycle may leave behind: less than a page. */
  private static final long EACH = 3;

  private static final int LOOK_EVERY = 10;

  @TempDir Path folder;

  @Test
  void leavesNothingBehindHoweverOftenATwinIsUndone() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of())) {
      List<String> splats = new ArrayList<>();
      LongSummaryStatistics boots = new LongSummaryStatistics();
      LongSummaryStatistics rollbacks = new LongSummaryStatistics();
      for (int cycle = 0; cycle < WARM_UP; cycle++) {
        cycle(node, splats, new LongSummaryStatistics(), new LongSummaryStatistics());
      }
      Inventory before = Inventory.read(node);
      assertThat(before.exact().keySet()).containsAll(Inventory.complete());
      assertThat(before.amounts())
          .containsKeys("MemAvailable", "SUnreclaim", "VmallocUsed", "Descriptors", "Mappings");
      for (int cycle = 1; cycle <= CYCLES; cycle++) {
        cycle(node, splats, boots, rollbacks);
        assertThat(splats).isEmpty();
        if (cycle % LOOK_EVERY == 0 || cycle == CYCLES) {
          isAsBefore(before, Inventory.read(node), cycle);
        }
      }
      System.out.println("boot ms " + boots + ", rollback ms " + rollbacks);
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
    }
  }

  private static void isAsBefore(Inventory before, Inventory after, int cycles) {
    Map<String, Long> grown = after.since(before);
    System.out.println("after " + cycles + " cycles grown by " + grown);
    assertThat(after.exact()).isEqualTo(before.exact());
    assertThat(grown.get("MemAvailable")).isGreaterThan(-NOISE - EACH * cycles);
    assertThat(grown.get("SUnreclaim")).isLessThan(SLAB_NOISE + EACH * cycles);
    for (String name : List.of("VmallocUsed", "KernelStack", "PageTables", "Percpu")) {
      assertThat(grown.get(name)).as(name).isLessThan(1024);
    }
    assertThat(grown.get("Mappings")).isZero();
    assertThat(grown.get("Descriptors")).isLessThanOrEqualTo(2);
    assertThat(grown.get("Threads")).isLessThanOrEqualTo(4);
  }

  private static void cycle(
      TestNode node,
      List<String> splats,
      LongSummaryStatistics boots,
      LongSummaryStatistics rollbacks)
      throws Exception {
    long start = System.nanoTime();
    String upgrade = node.boot();
    long booted = System.nanoTime();
    splats.addAll(node.onB(Splats.COMMAND).lines().toList());
    long asked = System.nanoTime();
    node.rollBack(upgrade);
    rollbacks.accept(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - asked));
    boots.accept(TimeUnit.NANOSECONDS.toMillis(booted - start));
    assertThat(node.onA("cat /sys/devices/system/cpu/online")).isEqualTo("0-3");
    splats.addAll(node.onA(Splats.COMMAND + "; dmesg -c >/dev/null").lines().toList());
  }
}
