package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.util.List;

/**
 * Memory that processes of one tree share, and no file that has a name. Each of them has soft-dirty
 * bits of its own for it, in the entries of its page tables; a page changed if one of them wrote
 * it. So no entry may be dropped, as the kernel may do with those of a file's page, but for such as
 * the process drops itself, which is watched for ({@link HarmlessCalls}).
 */
final class SharedMemory {
  private static final String HUGE = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

  private SharedMemory() {}

  /**
   * @throws Unstageable if it cannot be seen what a process writes to its shared memory
   */
  static void check(int pid, MemoryMap map) throws IOException {
    if (map.areas().stream().noneMatch(MemoryMap.Area::sharedWithoutName)) {
      return;
    }
    for (AreaUse use : AreaUse.read(pid)) {
      check(use);
    }
    List<MemoryMap.Area> shared = map.sharedMemory();
    if (shared.isEmpty()) {
      return;
    }
    if (SysFiles.readIfThere("/proc/swaps").orElse("").strip().contains("\n")) {
      throw refused(shared, "its pages may go to swap space");
    }
    String huge = SysFiles.readIfThere(HUGE).orElse("[never]");
    if (!huge.contains("[never]") && !huge.contains("[deny]")) {
      throw refused(shared, "its pages may become huge ones: " + huge.strip());
    }
  }

  private static void check(AreaUse use) throws Unstageable {
    if (!use.area().sharedWithoutName()) {
      return;
    }
    if (use.flags().contains("ht")) {
      throw refused(List.of(use.area()), "its pages are huge ones");
    }
    if (use.flags().contains("mw") && !use.flags().contains("wr")) {
      throw refused(List.of(use.area()), "may begin to write to it");
    }
  }

  private static Unstageable refused(List<MemoryMap.Area> shared, String why) {
    return new Unstageable("it shares the memory " + shared.getFirst().name() + ", and " + why);
  }
}
