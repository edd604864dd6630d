package io.twinkernel.broker.policy;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What of a process's descriptors keeps it from moving. */
final class DescriptorChecks {
  /** Anonymous inodes that CRIU takes along. */
  private static final Set<String> MOVABLE =
      Set.of("eventfd", "eventpoll", "timerfd", "signalfd", "inotify", "fanotify");

  private static final Map<String, String> KNOWN =
      Map.of(
          "io_uring", "an io_uring: its requests are in the kernel",
          "perf_event", "a perf counter of this kernel",
          "userfaultfd", "a userfaultfd: page faults wait in the kernel",
          "pidfd", "a pidfd, which CRIU does not restore",
          "kvm-vm", "a virtual machine of this kernel's KVM",
          "seccomp notify", "a seccomp listener: system calls of others wait at it");

  /** Those that each kernel has, and that hold nothing. */
  static final Set<String> DEVICES =
      Set.of("/dev/null", "/dev/zero", "/dev/full", "/dev/ptmx", "/dev/random", "/dev/urandom");

  private final Moves moves;
  private final MovedFiles files;
  private final Obstacles obstacles;
  private final SocketTable sockets;

  /** Who has a pipe or socket open, and a terminal's master side, by target. */
  private final Map<String, Set<Integer>> holders = new HashMap<>();

  private DescriptorChecks(
      Moves moves, MovedFiles files, Obstacles obstacles, SocketTable sockets) {
    this.moves = moves;
    this.files = files;
    this.obstacles = obstacles;
    this.sockets = sockets;
  }

  static void check(
      ProcReader reader, Moves moves, HomeNamespaces home, MovedFiles files, Obstacles obstacles)
      throws IOException {
    List<ProcessFacts> moving = moves.moving();
    if (moving.isEmpty()) {
      return;
    }
    var checks =
        new DescriptorChecks(
            moves, files, obstacles, SocketTable.read(reader, moving.getFirst().pid()));
    var open = new LinkedHashMap<ProcessFacts, List<Descriptor>>();
    for (ProcessFacts process : moving) {
      open.put(process, reader.descriptors(process.pid()));
      open.get(process).forEach(descriptor -> checks.holds(process, descriptor.target()));
    }
    for (ProcessFacts process : moves.others()) {
      reader.targets(process.pid()).forEach(target -> checks.holds(process, target));
    }
    for (Map.Entry<ProcessFacts, List<Descriptor>> one : open.entrySet()) {
      FileSpace space = reader.files(one.getKey(), home);
      for (Descriptor descriptor : one.getValue()) {
        checks.check(one.getKey(), descriptor, space);
      }
    }
  }

  private void holds(ProcessFacts process, String target) {
    holders.computeIfAbsent(target, _ -> new TreeSet<>()).add(process.pid());
  }

  private void check(ProcessFacts process, Descriptor descriptor, FileSpace space) {
    String target = descriptor.target();
    if (space.isFromOutside(descriptor)) {
      obstacles.add(
          process,
          descriptor,
          "it was opened outside the container, as what a runtime is started with",
          "have the container's program open its own, as a service does with /dev/null");
    } else if (!descriptor.inode("socket").isEmpty()) {
      socket(process, descriptor);
    } else if (!descriptor.inode("pipe").isEmpty()) {
      shared(process, descriptor, target, "the pipe");
    } else if (target.startsWith("anon_inode:")) {
      anonymous(process, descriptor);
    } else if (target.startsWith("/memfd:secret")) {
      obstacles.add(process, descriptor, "secret memory, which nothing but the process can read");
    } else if (target.startsWith("/dev/pts/") || target.equals("/dev/tty")) {
      terminal(process, descriptor);
    } else if (target.startsWith("/dev/") && !sharedMemory(target)) {
      if (!DEVICES.contains(target)) {
        obstacles.add(process, descriptor, "an open device that stays with this kernel");
      }
    } else if (target.contains(":[")) {
      namespace(process, descriptor);
    } else if (descriptor.hasPath()) {
      files
          .obstacle(
              space,
              space.of(descriptor),
              descriptor.path(),
              descriptor.deleted(),
              descriptor.bytes(),
              process.label() + " fd " + descriptor.number())
          .ifPresent(why -> obstacles.add(process, descriptor, why));
    }
  }

  private static boolean sharedMemory(String target) {
    return target.startsWith("/dev/shm/")
        || target.startsWith("/dev/mqueue/")
        || target.startsWith("/dev/zero (deleted)");
  }

  private void anonymous(ProcessFacts process, Descriptor descriptor) {
    String kind = descriptor.target().substring("anon_inode:".length()).replaceAll("^\\[|]$", "");
    if (kind.startsWith("bpf-")) {
      obstacles.add(process, descriptor, "a BPF object of this kernel");
    } else if (!MOVABLE.contains(kind)) {
      obstacles.add(
          process, descriptor, KNOWN.getOrDefault(kind, "an object of this kernel (" + kind + ")"));
    }
  }

  private void namespace(ProcessFacts process, Descriptor descriptor) {
    String kind = descriptor.target().substring(0, descriptor.target().indexOf(':'));
    if (!Set.of("net", "mnt", "ipc", "uts", "user", "pid", "cgroup", "time").contains(kind)) {
      obstacles.add(process, descriptor, "an object of this kernel (" + kind + ")");
    }
  }

  /** A slave side needs its master: without it nobody reads what is written there. */
  private void terminal(ProcessFacts process, Descriptor descriptor) {
    // CRIU: "ctty inheritance detected", where the master is in another process.
    if (descriptor.target().equals("/dev/tty")
        && !holders.getOrDefault("/dev/ptmx", Set.of()).contains(process.pid())) {
      obstacles.add(
          process,
          descriptor,
          "its terminal by the name /dev/tty, while the other end is in another process",
          "close it; a shell does at 'set +m'");
      return;
    }
    Optional<ProcessFacts> tree = moves.treeOf(process.pid());
    boolean masterMoves =
        holders.getOrDefault("/dev/ptmx", Set.of()).stream()
            .anyMatch(holder -> moves.treeOf(holder).equals(tree));
    if (!masterMoves) {
      obstacles.add(
          process,
          descriptor,
          "a terminal whose other end does not move with it",
          "start it with its terminal's program in the same tree, or without a terminal");
    }
  }

  private void socket(ProcessFacts process, Descriptor descriptor) {
    Optional<SocketTable.Entry> entry = sockets.find(descriptor.inode("socket"));
    if (entry.isEmpty()) {
      return; // not bound to anything yet, or a connected unix pair whose other end is closed
    }
    switch (entry.get().table()) {
      case "tcp", "tcp6" -> connection(process, descriptor, entry.get());
      case "udp", "udp6", "udplite", "udplite6", "unix", "netlink" ->
          shared(process, descriptor, descriptor.target(), "the socket");
      case "packet" ->
          obstacles.add(process, descriptor, "a packet socket: it sees this kernel's devices");
      default ->
          obstacles.add(
              process,
              descriptor,
              "a " + entry.get().table() + " socket, which CRIU does not move");
    }
  }

  private void connection(
      ProcessFacts process, Descriptor descriptor, SocketTable.Entry connection) {
    shared(process, descriptor, descriptor.target(), "the socket");
    sockets
        .otherEnd(connection)
        .ifPresent(
            inode -> shared(process, descriptor, "socket:[" + inode + "]", "the connection's end"));
  }

  /** All who hold an end of it must be in one tree: trees are restored one after the other. */
  private void shared(ProcessFacts process, Descriptor descriptor, String target, String what) {
    Optional<ProcessFacts> tree = moves.treeOf(process.pid());
    for (int holder : holders.getOrDefault(target, Set.of())) {
      Optional<ProcessFacts> other = moves.treeOf(holder);
      if (!other.equals(tree)) {
        obstacles.add(
            process,
            descriptor,
            what
                + " is open in pid "
                + holder
                + " as well, which "
                + (other.isEmpty() ? "does not move" : "is in another tree"),
            "start both below one parent that moves, or end the connection");
      }
    }
  }
}
