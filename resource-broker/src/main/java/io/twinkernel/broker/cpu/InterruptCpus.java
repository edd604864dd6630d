package io.twinkernel.broker.cpu;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** Where the interrupts of a device arrive (Documentation/core-api/irq/irq-affinity.rst). */
public final class InterruptCpus {
  private InterruptCpus() {}

  /**
   * The CPUs that take a PCI function's message interrupts now; none if it has none.
   *
   * @param root where proc and sys are mounted
   * @param function its address, as "0000:81:00.0"
   */
  public static Set<Integer> of(Path root, String function) throws IOException {
    var cpus = new TreeSet<Integer>();
    Path interrupts = root.resolve("sys/bus/pci/devices").resolve(function).resolve("msi_irqs");
    if (!Files.isDirectory(interrupts)) {
      return cpus;
    }
    try (var numbers = Files.newDirectoryStream(interrupts)) {
      for (Path number : numbers) {
        Path where =
            root.resolve("proc/irq")
                .resolve(number.getFileName().toString())
                .resolve("effective_affinity_list");
        // One that nobody asked for yet has none.
        if (Files.exists(where)) {
          cpus.addAll(CpuList.parse(SysFiles.read(where.toString())));
        }
      }
    }
    return cpus;
  }
}
