package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.rootfs.Emulator;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What a run needs of the host. Looking changes nothing. */
final class Preflight {

  /** Room for logs and reports, and for what a first run caches. */
  private static final long LEAST_DISK = 512L << 20;

  private static final int LEAST_JAVA = 25;

  /**
   * One thing that was looked for.
   *
   * @param todo what to do where it is missing
   */
  record Need(String what, boolean met, String todo) {}

  private Preflight() {}

  /**
   * Everything, in the order in which to repair it.
   *
   * @param memory RAM of the machine, MiB
   * @param out where reports will go
   */
  static List<Need> all(int memory, Path out) throws IOException {
    List<Need> needs = new ArrayList<>();
    needs.add(
        new Need("root", isRoot(), "Run it as root: it makes a network namespace and a tap."));
    needs.add(
        new Need(
            "JDK " + LEAST_JAVA + " or newer, this is " + Runtime.version().feature(),
            Runtime.version().feature() >= LEAST_JAVA,
            "Point JAVA_HOME at a JDK " + LEAST_JAVA + "."));
    // Without such a choice one is fetched, like the images.
    Emulator.chosen(System.getenv())
        .ifPresent(
            qemu ->
                needs.add(
                    new Need(
                        qemu + ", the QEMU that " + Emulator.CHOICE + " names",
                        Files.isRegularFile(qemu) && Files.isExecutable(qemu),
                        "Correct or unset " + Emulator.CHOICE + ".")));
    tool(needs, "ip", "iproute2");
    tool(needs, "tcpdump", "tcpdump");
    tool(needs, "setpriv", "util-linux");
    needs.add(
        new Need(
            "/dev/net/tun",
            Files.exists(Path.of("/dev/net/tun")),
            "Load the kernel's tun module: modprobe tun"));
    long free = freeMemory() >> 20;
    needs.add(
        new Need(
            memory + " MiB of RAM for the machine, " + free + " MiB are free",
            free >= memory,
            "Give the machine less by --memory, or end something else."));
    long disk = existing(out).toFile().getUsableSpace();
    needs.add(
        new Need(
            (LEAST_DISK >> 20)
                + " MiB of disk under "
                + existing(out)
                + ", "
                + (disk >> 20)
                + " MiB are free",
            disk >= LEAST_DISK,
            "Make room there, or name another folder by --out."));
    return needs;
  }

  /** Refuses with the first thing that is missing. */
  static void require(int memory, Path out) throws HarnessException, IOException {
    for (Need need : all(memory, out)) {
      if (!need.met()) {
        throw new HarnessException.Refused("needed: " + need.what(), need.todo());
      }
    }
  }

  private static void tool(List<Need> needs, String name, String debianPackage) {
    needs.add(new Need(name, onPath(name), "Install it: apt-get install " + debianPackage));
  }

  static boolean onPath(String name) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
    return Arrays.stream(path.split(":", -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, name)));
  }

  private static boolean isRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  /** MemAvailable of /proc/meminfo, bytes. */
  private static long freeMemory() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
      if (line.startsWith("MemAvailable:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
      }
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getMax();
  }

  private static Path existing(Path path) {
    Path found = path.toAbsolutePath();
    while (!Files.exists(found) && found.getParent() != null) {
      found = found.getParent();
    }
    return found;
  }
}
