package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.qemu.MachineSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * B enumerates the buses of the NIC and of the disk while A drives both: the emulator, which sees
 * every access, sees no write until they come.
 */
@Tag("machine")
final class PreparedBusesTest {
  private static final String TWIN = MachineSpec.TWIN_BUS.substring(5) + ":00.0";
  private static final List<String> COMING = List.of(MachineSpec.SERVICE_NIC, MachineSpec.DISK);

  /** {@code pci_cfg_write virtio-blk-pci 84:00.0 @0x4 <- 0x507}. */
  private static final Pattern WRITE = Pattern.compile("pci_cfg_write \\S+ ([0-9a-f:.]+) @");

  @TempDir Path folder;

  @Test
  void noWriteReachesThemBeforeTheyCome() throws Exception {
    Path log = folder.resolve("accesses");
    try (TestNode node = TestNode.startWithDisk(folder, List.of("-D", log.toString()))) {
      Registers registers = new Registers(node, HardwareTest.ecam(node), COMING);
      SortedMap<String, String> before = configuration(registers);
      assertThat(before).hasSize(COMING.size());
      node.monitor("trace-event pci_cfg_write on");

      String upgrade = node.precopy();
      for (String function : COMING) {
        String folder = "/sys/bus/pci/devices/" + function;
        // All is known of it, and nobody drives it.
        String resources = node.onA("cat " + folder + "/resource");
        assertThat(node.onB("cat " + folder + "/resource")).isEqualTo(resources);
        assertThat(node.onB("ls -1 " + folder).lines()).contains("config").doesNotContain("driver");
      }
      assertThat(configuration(registers)).isEqualTo(before);
      // Of what B has from its start every write is seen.
      assertThat(written(log)).contains(TWIN).doesNotContainAnyElementsOf(addresses());
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();

      assertThat(node.finish(upgrade)).isEqualTo("COMPLETE");
      assertThat(written(log)).containsAll(addresses());
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
    }
  }

  private static SortedMap<String, String> configuration(Registers registers) throws Exception {
    return new TreeMap<>(registers.read().subMap("PCI ", "PCI!"));
  }

  /** Without their segment. */
  private static List<String> addresses() {
    return COMING.stream().map(function -> function.substring(5)).toList();
  }

  /** The functions whose configuration was written to since that is looked at. */
  private static Set<String> written(Path log) throws Exception {
    return WRITE
        .matcher(Files.readString(log))
        .results()
        .map((MatchResult write) -> write.group(1))
        .collect(Collectors.toSet());
  }
}
