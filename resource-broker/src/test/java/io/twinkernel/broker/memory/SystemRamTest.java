package io.twinkernel.broker.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.memory.SystemRam.Range;
import io.twinkernel.broker.plan.CapturedTree;
import io.twinkernel.broker.plan.IoMem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SystemRamTest {
  @Test
  void leavesOutLowMemoryAndTheCrashRegion(@TempDir Path root) throws Exception {
    String iomem = Files.readString(CapturedTree.in(root).resolve("proc/iomem"));

    assertThat(SystemRam.withoutCrashRegion(IoMem.parse(iomem)))
        .containsExactly(
            new Range(0x100000L, 0x3f000000L - 0x100000L),
            new Range(0x7f000000L, 0x7ffdd000L - 0x7f000000L),
            new Range(0x100000000L, 0x40000000L));
  }

  @Test
  void whatTheModuleKeepsOfASharedRegionIsLeftOut() {
    var iomem = IoMem.parse("40000000-401fffff : Twinkernel parked\n");
    var region = List.of(new Range(0x40000000L, 0x4000000L));

    assertThat(SystemRam.withoutTwins(region, iomem))
        .containsExactly(new Range(0x40200000L, 0x3e00000L));
    assertThat(SystemRam.without(region, new Range(0x41000000L, 0x1000000L)))
        .containsExactly(new Range(0x40000000L, 0x1000000L), new Range(0x42000000L, 0x2000000L));
  }

  @Test
  void findsThePagesThatTheMemoryMapLeavesOut() {
    var iomem =
        IoMem.parse(
            """
            4b0e1000-76ff91cf : System RAM
            76ff91d0-76ff91df : System RAM
            76ff91f0-76ffffff : System RAM
            """);

    assertThat(SystemRam.leftOut(new Range(0x4b000000L, 0x2c000000L), iomem))
        .containsExactly(new Range(0x4b000000L, 0xe1000L));
  }

  @Test
  void leavesOutTheSharedRegionToo() {
    var iomem =
        IoMem.parse(
            """
            00100000-7fffffff : System RAM
              40000000-6fffffff : Crash kernel
              70000000-73ffffff : Twinkernel shared
            """);

    var ranges = SystemRam.withoutCrashRegion(iomem);
    assertThat(ranges)
        .containsExactly(new Range(0x100000L, 0x3ff00000L), new Range(0x74000000L, 0xc000000L));
    assertThat(SystemRam.total(ranges)).isEqualTo(0x3ff00000L + 0xc000000L);
  }
}
