package io.twinkernel.broker.plan;

import io.twinkernel.broker.cpu.CpuList;
import io.twinkernel.broker.pci.HostBridges;
import io.twinkernel.ffi.TwinInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads {@link NodeFacts} from {@code /proc} and {@code /sys}. */
public final class NodeFactsReader {

  /** Names of interrupt controllers whose interrupts go through an IOMMU's table. */
  private static final Pattern REMAPPED = Pattern.compile("\\sv?IR-(IO-APIC|PCI-MSI)");

  private final Path root;

  /**
   * A reader of a machine.
   *
   * @param root where its {@code proc} and {@code sys} are: {@code /}, or a captured tree
   */
  public NodeFactsReader(Path root) {
    this.root = root;
  }

  /**
   * Reads everything anew.
   *
   * @param module what {@code /dev/twin} says; empty where there is none
   */
  public NodeFacts read(Optional<TwinInfo> module) throws IOException {
    String cpus = "sys/devices/system/cpu/";
    List<Integer> present = CpuList.parse(text(cpus + "present"));
    Set<Integer> hotpluggable = new HashSet<>();
    for (int cpu : present) {
      if (Files.exists(root.resolve(cpus + "cpu" + cpu + "/online"))) {
        hotpluggable.add(cpu);
      }
    }
    return new NodeFacts(
        (int) number(line("proc/self/status", "Uid:"), 1),
        lockdown(),
        optional("proc/sys/kernel/kexec_load_disabled").startsWith("1"),
        optional("sys/kernel/kexec_crash_loaded").startsWith("1"),
        text("proc/sys/kernel/osrelease").strip(),
        IoMem.parse(text("proc/iomem")),
        module,
        present,
        CpuList.parse(text(cpus + "online")),
        hotpluggable,
        apicIds(),
        new PciReader(root).functions(),
        REMAPPED.matcher(optional("proc/interrupts")).find(),
        new HostBridges(root).recorded(),
        number(line("proc/meminfo", "MemAvailable:"), 0) * 1024,
        0);
  }

  /** {@code [none] integrity confidentiality}; absent in kernels without it. */
  private String lockdown() throws IOException {
    String modes = optional("sys/kernel/security/lockdown");
    int from = modes.indexOf('[');
    int to = modes.indexOf(']');
    return from < 0 || to < from ? "none" : modes.substring(from + 1, to);
  }

  private Map<Integer, Integer> apicIds() throws IOException {
    Map<Integer, Integer> ids = new HashMap<>();
    int cpu = -1;
    String text = text("proc/cpuinfo");
    for (int from = 0, to; (to = text.indexOf('\n', from)) >= 0; from = to + 1) {
      if (text.startsWith("processor\t", from)) {
        cpu = afterColon(text, from, to);
      } else if (text.startsWith("apicid\t", from)) {
        ids.put(cpu, afterColon(text, from, to));
      }
    }
    return ids;
  }

  private static int afterColon(String text, int from, int to) {
    return Integer.parseInt(text, text.indexOf(':', from) + 2, to, 10);
  }

  /** What follows a label at the start of a line. */
  private String line(String file, String label) throws IOException {
    String text = text(file);
    int at = text.startsWith(label) ? 0 : text.indexOf("\n" + label) + 1;
    if (at == 0 && !text.startsWith(label)) {
      throw new IOException(root.resolve(file) + " has no line '" + label + "'");
    }
    int end = text.indexOf('\n', at);
    return text.substring(at + label.length(), end < 0 ? text.length() : end).strip();
  }

  /** The number at an index among words. */
  private static long number(String words, int index) {
    int at = 0;
    for (int i = 0; i < index; i++) {
      while (words.charAt(at) > ' ') {
        at++;
      }
      while (words.charAt(at) <= ' ') {
        at++;
      }
    }
    int end = at;
    while (end < words.length() && words.charAt(end) > ' ') {
      end++;
    }
    return Long.parseLong(words, at, end, 10);
  }

  private String text(String file) throws IOException {
    return Files.readString(root.resolve(file));
  }

  private String optional(String file) throws IOException {
    try {
      return text(file);
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}
