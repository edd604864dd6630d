package io.twinkernel.broker.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class InterruptCpusTest {
  @TempDir Path root;

  @Test
  void areThoseOfAllItsInterrupts() throws Exception {
    interrupt("0000:00:05.0", 24, "0\n");
    interrupt("0000:00:05.0", 25, "2\n");
    interrupt("0000:00:06.0", 26, "1\n");
    Files.createDirectories(root.resolve("sys/bus/pci/devices/0000:00:05.0/msi_irqs/27"));
    assertThat(InterruptCpus.of(root, "0000:00:05.0")).containsExactly(0, 2);
    assertThat(InterruptCpus.of(root, "0000:00:07.0")).isEmpty();
  }

  private void interrupt(String function, int number, String cpus) throws Exception {
    Files.createDirectories(
        root.resolve("sys/bus/pci/devices/" + function + "/msi_irqs/" + number));
    Path directory = Files.createDirectories(root.resolve("proc/irq/" + number));
    Files.writeString(directory.resolve("effective_affinity_list"), cpus);
  }
}
