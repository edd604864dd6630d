package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What this kernel says of a program that stands still: of cat, while it reads just that. */
final class AreaUseTest {
  @Test
  void readsEveryArea() throws Exception {
    String maps = output("cat", "/proc/self/smaps");
    List<AreaUse> uses = AreaUse.parse(maps);

    assertThat(uses)
        .hasSameSizeAs(maps.lines().filter(line -> line.startsWith("VmFlags")).toList());
    assertThat(uses).anyMatch(use -> use.area().name().equals("[stack]"));
    for (AreaUse use : uses) {
      MemoryMap.Area area = use.area();
      assertThat(use.residentBytes()).isBetween(0L, area.end() - area.start());
      assertThat(use.flags().contains("wr")).as("%s", use).isEqualTo(area.writable());
    }
    long resident =
        maps.lines()
            .filter(line -> line.startsWith("Rss:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
            .sum();
    assertThat(uses.stream().mapToLong(AreaUse::residentBytes).sum()).isEqualTo(resident);
  }

  @Test
  void saysWhatIsNoneOfTheFormat() {
    assertThatThrownBy(() -> AreaUse.parse("VmFlags: rd wr\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("flags of no area");
    assertThatThrownBy(() -> AreaUse.parse("55d0-55e0 rw-p 0 0:0 0\nRss: lots kB\n"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("lots");
  }

  private static String output(String... command) throws Exception {
    Process process = new ProcessBuilder(command).start();
    try (var output = process.getInputStream()) {
      return new String(output.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
