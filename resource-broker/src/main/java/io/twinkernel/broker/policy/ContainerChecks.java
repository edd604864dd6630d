package io.twinkernel.broker.policy;

import io.twinkernel.broker.disk.Mount;
import io.twinkernel.broker.process.ContainerMounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether the mounts of a container can be made anew in the other kernel: its root is a directory
 * of the image, which both kernels have, and nothing was written there; the others are file systems
 * of its own, whose content CRIU takes along.
 */
final class ContainerChecks {
  private static final String READ_ONLY =
      "start it with a read-only root, and with a tmpfs where it writes";
  private static final String WITHOUT =
      "start it without that mount, or have the policy restart it or leave it behind";

  /** File systems of which CRIU makes another one. */
  private static final Set<String> MOVABLE = Set.of("proc", "sysfs", "tmpfs", "devpts", "mqueue");

  private final ProcReader reader;
  private final HomeNamespaces home;
  private final Collection<Mount> machine;
  private final MovedFiles files;
  private final Obstacles obstacles;
  private final List<Container> found = new ArrayList<>();

  /**
   * @param self PID of this broker, whose mounts are the machine's
   */
  ContainerChecks(
      ProcReader reader, int self, HomeNamespaces home, MovedFiles files, Obstacles obstacles)
      throws IOException {
    this.reader = reader;
    this.home = home;
    this.machine = reader.mounts(self).values();
    this.files = files;
    this.obstacles = obstacles;
  }

  /** The containers among what was checked, also those that cannot move. */
  List<Container> found() {
    return List.copyOf(found);
  }

  /**
   * Looks at the mounts of a tree, if they are its own.
   *
   * @param process the tree's root
   */
  void check(ProcessFacts process) throws IOException {
    if (!home.foreign(process, Namespace.MOUNT)) {
      return;
    }
    List<Mount> mounts =
        reader.mounts(process.pid()).values().stream()
            .sorted(Comparator.comparingInt(Mount::id))
            .toList();
    Optional<Mount> root = mounts.stream().filter(mount -> mount.point().equals("/")).findFirst();
    if (root.isEmpty()) {
      obstacles.add(process, "its root directory is no mount", "start it by a container runtime");
      return;
    }
    root(process, root.get());
    var devices = new HashMap<String, String>();
    long bytes = 0;
    for (Mount mount : mounts) {
      spread(process, mount, mounts);
      Optional<String> device = device(mount);
      if (device.isPresent()) {
        devices.put(mount.point(), device.get());
      } else if (!mount.equals(root.get())) {
        other(process, mount, root.get(), mounts);
        bytes += isWholeTmpfs(mount) ? reader.usedBytes(process.pid(), mount.point()) : 0;
      }
    }
    Path directory = Path.of(root.get().root());
    long flags = root.get().flags();
    found.add(new Container(process.pid(), new ContainerMounts(directory, flags, devices), bytes));
  }

  /** What a mount shows, if that is one of the machine's devices that every machine has. */
  private Optional<String> device(Mount mount) {
    return machine.stream()
        .filter(one -> one.device().equals(mount.device()) && one.root().equals("/"))
        .map(one -> one.point() + mount.root())
        .filter(path -> DescriptorChecks.DEVICES.contains(path) && !path.equals("/dev/ptmx"))
        .findFirst();
  }

  private void root(ProcessFacts process, Mount root) {
    boolean inImage =
        machine.stream()
            .anyMatch(
                mount ->
                    mount.point().equals("/")
                        && mount.inMemory()
                        && mount.device().equals(root.device()));
    if (!inImage) {
      obstacles.add(
          process,
          "its root file system is "
              + name(root)
              + ", and only a directory of the image is there in both kernels",
          "put its root file system into the images of both kernels, or have the policy restart it"
              + " or leave it behind");
    } else if (!root.readOnly()) {
      obstacles.add(
          process,
          "its root file system can be written to, and what it wrote there would be lost",
          READ_ONLY);
    }
  }

  private void other(ProcessFacts process, Mount mount, Mount root, List<Mount> mounts)
      throws IOException {
    if (mount.device().equals(root.device())) {
      if (!mount.root().startsWith(root.root() + "/")) {
        outside(process, mount);
      } else if (!mount.readOnly()) {
        obstacles.add(
            process,
            "what it wrote to " + mount.point() + ", a part of the image, would be lost",
            READ_ONLY);
      }
      return;
    }
    if (!MOVABLE.contains(mount.type())) {
      obstacles.add(
          process,
          "it has "
              + name(mount)
              + " on "
              + mount.point()
              + ", which the other kernel will not have",
          WITHOUT);
      return;
    }
    boolean whole =
        mounts.stream()
            .anyMatch(one -> one.device().equals(mount.device()) && one.root().equals("/"));
    if (!whole || isTheMachines(process, mount)) {
      outside(process, mount);
    } else if (mount.root().equals("/")) {
      content(process, mount);
    }
  }

  private void outside(ProcessFacts process, Mount mount) {
    obstacles.add(
        process,
        "what it has on "
            + mount.point()
            + " is the machine's ("
            + mount.root()
            + " of "
            + name(mount)
            + ")",
        WITHOUT);
  }

  /** Every sysfs of a network namespace is the same; any other is of the machine alone. */
  private boolean isTheMachines(ProcessFacts process, Mount mount) {
    boolean shared = machine.stream().anyMatch(one -> one.device().equals(mount.device()));
    return shared
        && switch (mount.type()) {
          case "sysfs" -> false;
          case "proc" -> home.foreign(process, Namespace.PID);
          default -> true;
        };
  }

  private static boolean isWholeTmpfs(Mount mount) {
    return mount.type().equals("tmpfs") && mount.root().equals("/");
  }

  /** What CRIU does with a file system's content when it dumps it. */
  private void content(ProcessFacts process, Mount mount) throws IOException {
    if (mount.type().equals("mqueue") && !reader.isEmpty(process.pid(), mount.point())) {
      obstacles.add(
          process,
          "it has a POSIX message queue on " + mount.point() + ", which CRIU does not take along",
          "end what made it, and remove it");
    }
    if (!isWholeTmpfs(mount)) {
      return;
    }
    String user = process.label() + " tmpfs on " + mount.point();
    Optional<Path> packer = reader.program("tar");
    if (packer.isEmpty() || !packer.get().endsWith("tar")) {
      obstacles.add(
          process,
          "it has a tmpfs on " + mount.point() + ", which CRIU packs by GNU tar: there is none",
          "install the package tar in both kernels' images");
      return;
    }
    files.need("/usr/bin/tar", Files.size(packer.get()), user);
    files.need("/usr/bin/gzip", MovedFiles.ANY_SIZE, user);
  }

  /** Mounts of the machine's must not appear in it: nothing in the other kernel is like them. */
  private void spread(ProcessFacts process, Mount mount, List<Mount> mounts) {
    for (String tag : mount.tags()) {
      boolean peers =
          tag.startsWith("shared:") && machine.stream().anyMatch(one -> one.tags().contains(tag));
      boolean follows =
          tag.startsWith("master:")
              && mounts.stream()
                  .noneMatch(one -> one.tags().contains(tag.replace("master:", "shared:")));
      if (peers || follows) {
        obstacles.add(
            process,
            "what the machine mounts appears on its " + mount.point() + " (" + tag + ")",
            "start it with private mounts (rootfsPropagation: rprivate)");
      }
    }
  }

  private static String name(Mount mount) {
    return mount.type() + " (" + mount.source() + ")";
  }
}
