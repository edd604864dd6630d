package io.twinkernel.broker.policy;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What of a process's memory keeps it from moving. */
final class MemoryChecks {
  private static final String DELETED = " (deleted)";

  private final ProcReader reader;
  private final HomeNamespaces home;
  private final MovedFiles files;
  private final Obstacles obstacles;

  MemoryChecks(ProcReader reader, HomeNamespaces home, MovedFiles files, Obstacles obstacles) {
    this.reader = reader;
    this.home = home;
    this.files = files;
    this.obstacles = obstacles;
  }

  void check(List<ProcessFacts> moving) throws IOException {
    for (ProcessFacts process : moving) {
      FileSpace space = reader.files(process, home);
      for (Mapping mapping : reader.mappings(process.pid())) {
        check(process, mapping, space);
      }
    }
  }

  private void check(ProcessFacts process, Mapping mapping, FileSpace space) {
    String name = mapping.name();
    if (name.startsWith("/SYSV")) {
      if (home.isIpcOf(process)) {
        obstacles.add(
            process,
            mapping,
            "System V shared memory of the IPC namespace that stays",
            "start the tree in an IPC namespace of its own: unshare --ipc");
      }
    } else if (name.startsWith("anon_inode:")) {
      obstacles.add(
          process, mapping, "memory of an object of this kernel", "end what uses it first");
    } else if (name.startsWith("socket:[")) {
      obstacles.add(
          process, mapping, "the ring of a packet socket", "end what captures packets first");
    } else if (name.startsWith("/memfd:secret")) {
      obstacles.add(process, mapping, "secret memory, which only the process can read", "end it");
    } else if (name.startsWith("/dev/") && !name.startsWith("/dev/shm/") && !anonymous(name)) {
      obstacles.add(
          process,
          mapping,
          "memory of a device that stays with this kernel",
          "end it, or have the policy leave the process behind");
    } else if (name.startsWith("/") && !anonymous(name)) {
      file(process, mapping, space);
    }
  }

  private void file(ProcessFacts process, Mapping mapping, FileSpace space) {
    boolean deleted = mapping.name().endsWith(DELETED);
    Optional<String> why =
        files.obstacle(
            space,
            space.of(mapping),
            mapping.name(),
            deleted,
            deleted ? mapping.bytes() : MovedFiles.ANY_SIZE,
            process.label() + " memory at " + mapping.address());
    if (why.isPresent()) {
      obstacles.add(
          process,
          mapping,
          why.get(),
          deleted
              ? "start it anew: its program or library was replaced since"
              : "put the file where both kernels have it");
    }
  }

  /** Shared memory without a file of its own. */
  private static boolean anonymous(String name) {
    return name.startsWith("/memfd:")
        || name.startsWith("/dev/zero")
        || name.startsWith("/anon_hugepage");
  }
}
