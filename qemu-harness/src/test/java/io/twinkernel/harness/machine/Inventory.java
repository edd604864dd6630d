package io.twinkernel.harness.machine;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a kernel has at one moment of what could leak.
 *
 * @param exact what must be the same again, by name: CPUs, resources, references, kernel threads
 * @param amounts what may differ by a little, by name: kilobytes, or a count
 */
record Inventory(SortedMap<String, String> exact, SortedMap<String, Long> amounts) {

  private static final String SLAB = "slab.";
  private static final long WORTH_A_LOOK = 64;

  /**
   * Reads it in one go, after the caches were dropped. Kernel threads that serve work queues come
   * and go.
   */
  private static final String READ =
      "sync; echo 3 >/proc/sys/vm/drop_caches; broker=$(pidof java);"
          + " echo =cpus; cat /sys/devices/system/cpu/online;"
          + " echo =iomem; cat /proc/iomem;"
          + " echo =ioports; cat /proc/ioports;"
          + " echo =functions; ls -1 /sys/bus/pci/devices;"
          + " echo =references; cat /sys/module/twin/refcnt;"
          + " echo =state; cat /sys/kernel/twin/state;"
          + " echo =image; cat /sys/kernel/kexec_crash_loaded;"
          + " echo =threads; for p in /proc/[0-9]*; do"
          + " [ -e $p/exe ] || grep -v -e ^kworker -e ^cpuhp -e ^irq/ $p/comm; done 2>/dev/null | sort;"
          + " echo +meminfo; grep -E '^(MemAvailable|SUnreclaim|VmallocUsed|KernelStack|PageTables|Percpu):'"
          + " /proc/meminfo;"
          + " echo +broker; grep -E '^(VmRSS|Threads):' /proc/$broker/status;"
          + " echo \"Descriptors: $(ls /proc/$broker/fd | wc -l)\";"
          + " sed '1,2d' /proc/slabinfo | while read -r slab active all size rest; do"
          + " echo "
          + SLAB
          + "$slab: $((all * size / 1024)); done;"
          + " echo \"Mappings: $(grep -c twin /proc/vmallocinfo)\"";

  static Inventory read(TestNode node) throws Exception {
    SortedMap<String, String> exact = new TreeMap<>();
    SortedMap<String, Long> amounts = new TreeMap<>();
    String section = "";
    for (String line : node.onA(READ).lines().toList()) {
      if (line.startsWith("=") || line.startsWith("+")) {
        section = line;
      } else if (section.startsWith("=")) {
        exact.merge(section.substring(1), line, (before, more) -> before + "\n" + more);
      } else {
        String[] words = line.strip().split(":?[ \t]+", 3);
        amounts.put(words[0], Long.parseLong(words[1]));
      }
    }
    // The broker's memory is its JVM's affair, and not the kernel's.
    amounts.merge("MemAvailable", amounts.getOrDefault("VmRSS", 0L), Long::sum);
    return new Inventory(exact, amounts);
  }

  /** How much more of each amount there is than before; of slabs only what is worth a look. */
  Map<String, Long> since(Inventory before) {
    Map<String, Long> grown = new LinkedHashMap<>();
    amounts.forEach(
        (name, amount) -> {
          long more = amount - before.amounts.getOrDefault(name, 0L);
          if (!name.startsWith(SLAB) || Math.abs(more) >= WORTH_A_LOOK) {
            grown.put(name, more);
          }
        });
    return grown;
  }

  /** The names of what an inventory must have. */
  static List<String> complete() {
    return List.of(
        "cpus", "functions", "image", "iomem", "ioports", "references", "state", "threads");
  }
}
