package io.twinkernel.broker.policy;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What of a process's memory keeps it from moving. */
final class MemoryChecks {
  private static final String DELETED = " (deleted)";

  /**
   * Shared memory that a process which moves has.
   *
   * @param root of its tree
   */
  private record Shared(ProcessFacts process, Mapping mapping, ProcessFacts root) {}

  private final ProcReader reader;
  private final Moves moves;
  private final HomeNamespaces home;
  private final MovedFiles files;
  private final Obstacles obstacles;

  /** By what it is a mapping of; of each the first that was found. */
  private final Map<String, Shared> shared = new LinkedHashMap<>();

  MemoryChecks(
      ProcReader reader, Moves moves, HomeNamespaces home, MovedFiles files, Obstacles obstacles) {
    this.reader = reader;
    this.moves = moves;
    this.home = home;
    this.files = files;
    this.obstacles = obstacles;
  }

  void check() throws IOException {
    for (Map.Entry<ProcessFacts, List<ProcessFacts>> tree : moves.trees().entrySet()) {
      var numbers = new HashMap<String, Mapping>();
      for (ProcessFacts process : tree.getValue()) {
        FileSpace space = reader.files(process, home);
        for (Mapping mapping : reader.mappings(process.pid())) {
          check(process, mapping, space);
          checkNumber(process, mapping, numbers);
          if (isSharedMemory(mapping)) {
            share(new Shared(process, mapping, tree.getKey()));
          }
        }
      }
    }
    for (ProcessFacts other : shared.isEmpty() ? List.<ProcessFacts>of() : moves.others()) {
      for (Mapping mapping : reader.mappings(other.pid())) {
        Shared ours = isSharedMemory(mapping) ? shared.get(key(mapping)) : null;
        if (ours != null) {
          refuse(ours, other.label() + ", which does not move");
        }
      }
    }
  }

  /**
   * CRIU knows System V memory by its number and other shared memory by its inode, as if both were
   * of one kind (criu/shmem.c).
   *
   * @param numbers of shared memory in this tree, by either
   */
  private void checkNumber(ProcessFacts process, Mapping mapping, Map<String, Mapping> numbers) {
    if (!isSystemV(mapping) && !isSharedMemory(mapping)) {
      return;
    }
    Mapping other = numbers.putIfAbsent(mapping.inode(), mapping);
    if (other != null && isSystemV(other) != isSystemV(mapping)) {
      obstacles.add(
          process,
          mapping,
          "shared memory with the number " + mapping.inode() + ", as " + other.name() + " has",
          "start the tree anew: it gets other numbers");
    }
  }

  private static boolean isSystemV(Mapping mapping) {
    return mapping.name().startsWith("/SYSV");
  }

  /** Trees are restored one after the other: each would have memory of its own. */
  private void share(Shared found) {
    Shared first = shared.putIfAbsent(key(found.mapping()), found);
    if (first != null && !first.root().equals(found.root())) {
      refuse(found, first.process().label() + ", which is in another tree");
    }
  }

  private void refuse(Shared ours, String other) {
    obstacles.add(
        ours.process(),
        ours.mapping(),
        "memory that it shares with " + other,
        "start both from one parent that moves, too, or end one of them");
  }

  /** Not System V's: that is its IPC namespace's, which no other tree may be in. */
  private static boolean isSharedMemory(Mapping mapping) {
    return mapping.shared() && anonymous(mapping.name());
  }

  private static String key(Mapping mapping) {
    return mapping.device() + " " + mapping.inode() + " " + mapping.name();
  }

  private void check(ProcessFacts process, Mapping mapping, FileSpace space) {
    String name = mapping.name();
    if (isSystemV(mapping)) {
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
