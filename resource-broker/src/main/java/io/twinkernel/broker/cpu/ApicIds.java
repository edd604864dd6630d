package io.twinkernel.broker.cpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The APIC ids of the CPUs that are online, from /proc/cpuinfo. */
public final class ApicIds {
  private ApicIds() {}

  /** Logical CPU number to APIC id, in the order of the CPU numbers. */
  public static Map<Integer, Integer> read() throws IOException {
    return parse(Files.readAllLines(Path.of("/proc/cpuinfo")));
  }

  static Map<Integer, Integer> parse(List<String> lines) {
    var ids = new LinkedHashMap<Integer, Integer>();
    int cpu = -1;
    for (String line : lines) {
      int colon = line.indexOf(':');
      if (line.startsWith("processor")) {
        cpu = Integer.parseInt(line.substring(colon + 1).strip());
      } else if (line.startsWith("apicid")) {
        ids.put(cpu, Integer.parseInt(line.substring(colon + 1).strip()));
      }
    }
    return ids;
  }
}
