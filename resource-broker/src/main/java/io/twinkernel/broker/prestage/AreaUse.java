package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.MemoryMap.Area;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What the kernel says of an area of memory in {@code /proc/PID/smaps}
 * (Documentation/filesystems/proc.rst).
 *
 * @param residentBytes that are in memory
 * @param flags of two letters each, such as {@code wr}
 */
record AreaUse(Area area, long residentBytes, Set<String> flags) {
  private static final String RESIDENT = "Rss:";
  private static final String FLAGS = "VmFlags:";

  AreaUse {
    flags = Set.copyOf(flags);
  }

  static List<AreaUse> read(int pid) throws IOException {
    return parse(SysFiles.read("/proc/" + pid + "/smaps"));
  }

  /**
   * @throws IOException if areas and what is said of them do not alternate
   */
  static List<AreaUse> parse(String text) throws IOException {
    var uses = new ArrayList<AreaUse>();
    List<Area> area = List.of();
    long resident = 0;
    for (String line : text.split("\n", -1)) {
      if (line.startsWith(RESIDENT)) {
        resident = kibibytes(line) << 10;
      } else if (line.startsWith(FLAGS)) {
        if (area.isEmpty()) {
          throw new IOException("flags of no area: " + line);
        }
        String flags = line.substring(FLAGS.length()).strip();
        uses.add(new AreaUse(area.getFirst(), resident, Set.of(flags.split(" ", -1))));
        area = List.of();
      } else if (!line.isEmpty() && !Character.isUpperCase(line.charAt(0))) {
        area = MemoryMap.parse(line + "\n").areas();
      }
    }
    return List.copyOf(uses);
  }

  private static long kibibytes(String line) throws IOException {
    try {
      return Long.parseLong(line.substring(RESIDENT.length()).replace("kB", "").strip());
    } catch (NumberFormatException e) {
      throw new IOException("not a size in kB: " + line, e);
    }
  }
}
