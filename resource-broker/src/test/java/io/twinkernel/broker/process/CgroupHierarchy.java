package io.twinkernel.broker.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** This host's cgroup v2 hierarchy, for tests that make cgroups. */
public final class CgroupHierarchy {
  private CgroupHierarchy() {}

  /** Where it is mounted. */
  public static Path root() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
      String[] fields = line.split(" ", -1);
      if (fields[2].equals("cgroup2")) {
        return Path.of(fields[1]);
      }
    }
    throw new IOException("no cgroup v2 hierarchy is mounted");
  }
}
