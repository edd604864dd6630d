package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.qemu.MachineSpec;
import io.twinkernel.rootfs.ProjectHome;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * A kernel with the patch of kernel-patches/series leaves the devices alone that {@code
 * pci_dev_flags=} names. Such a kernel is built first, which takes its time, of {@code
 * -Dtwin.test.tarball=FILE}, the source, and {@code -Dtwin.test.series=6.12}; or it is there
 * already, {@code -Dtwin.test.patched=BZIMAGE:MODULES}. With one that is not patched, such as
 * {@code 6.12}, this fails.
 */
@Tag("machine")
@EnabledIf("isAsked")
final class IgnoredDevicesTest {

  private static final String BY_ADDRESS = MachineSpec.TWIN_BUS + ":00.0";

  /** The SMBus of the machine's chipset: its address and its IDs. */
  private static final String BY_ID = "0000:00:1f.3";

  private static final String ID = "8086:2930";

  /** Shares its slot with that one, is scanned before it, and not ignored. */
  private static final String NEIGHBOUR = "00:1f.2";

  private static final String PATCHED = System.getProperty("twin.test.patched", "");
  private static final String TARBALL = System.getProperty("twin.test.tarball", "");

  @TempDir Path folder;

  static boolean isAsked() {
    return !PATCHED.isEmpty() || !TARBALL.isEmpty();
  }

  @Test
  void seesNothingOfThemAndDoesNotWriteToThem() throws Exception {
    Path trace = folder.resolve("trace");
    try (TestNode node =
        TestNode.start(
            folder,
            Map.of(),
            kernel(),
            "6.12",
            "ignore_loglevel pci_dev_flags=" + BY_ADDRESS + ",nonsense," + ID + ",0:20.0",
            List.of("-trace", "enable=pci_cfg_write", "-D", trace.toString()))) {
      String said = node.onA("dmesg");
      assertThat(node.onA("ls -1 /sys/bus/pci/devices").lines())
          .doesNotContain(BY_ADDRESS, BY_ID)
          .contains(MachineSpec.SERVICE_NIC, MachineSpec.NEXT_BUS + ":00.0", "0000:" + NEIGHBOUR);
      assertThat(said)
          .contains("pci " + BY_ADDRESS + ": [1af4:1043] ignored by pci_dev_flags=")
          .contains("pci " + BY_ID + ": [" + ID + "] ignored by pci_dev_flags=")
          .contains("pci_dev_flags: 'nonsense' is neither")
          .contains("pci_dev_flags: '0:20.0' is neither");

      // The firmware sizes BARs as well: all ones are written once by it and once by the kernel.
      assertThat(sized(trace, NEIGHBOUR)).isEqualTo(2 * sized(trace, "00:1f.3"));
      assertThat(sized(trace, "00:1f.3")).isPositive();

      // And when devices are looked for later.
      String twin = BY_ADDRESS.substring("0000:".length());
      long before = writes(trace, "00:1f.3") + writes(trace, twin);
      node.onA("echo 1 >/sys/bus/pci/rescan");
      assertThat(node.onA("ls -1 /sys/bus/pci/devices").lines()).doesNotContain(BY_ADDRESS, BY_ID);
      assertThat(writes(trace, "00:1f.3") + writes(trace, twin)).isEqualTo(before);
    }
  }

  private static long sized(Path trace, String function) throws Exception {
    return Files.readAllLines(trace).stream()
        .filter(line -> line.contains(" " + function + " @0x20 <- 0xffffffff"))
        .count();
  }

  private static long writes(Path trace, String function) throws Exception {
    return Files.readAllLines(trace).stream()
        .filter(line -> line.contains(" " + function + " @"))
        .count();
  }

  /** The kernel, as {@code --from} takes it. */
  private String kernel() throws Exception {
    if (!PATCHED.isEmpty()) {
      return PATCHED;
    }
    Path patches = ProjectHome.find().root().resolve("kernel-patches");
    String series = System.getProperty("twin.test.series", "6.12");
    Process process =
        new ProcessBuilder(
                patches.resolve("build-kernel").toString(),
                "--tarball",
                TARBALL,
                "--out",
                System.getProperty("twin.test.build", folder.resolve("kernel").toString()),
                "--series",
                patches.resolve("series").resolve(series).toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).isZero();
    return said.substring(said.lastIndexOf('\n') + 1);
  }
}
