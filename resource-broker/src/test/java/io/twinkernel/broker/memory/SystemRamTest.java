package io.twinkernel.broker.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.memory.SystemRam.Range;
import io.twinkernel.broker.plan.CapturedTree;
import io.twinkernel.broker.plan.IoMem;
import java.nio.file.Files;
import java.nio.file.Path;
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
