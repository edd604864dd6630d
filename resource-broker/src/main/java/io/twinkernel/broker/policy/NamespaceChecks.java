package io.twinkernel.broker.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which trees are in namespaces of their own, and whether these can go over: CRIU takes them along
 * with the tree, so that they must be the tree's alone, and the whole tree's.
 */
final class NamespaceChecks {
  private static final String TODO =
      "start it in the machine's (of a container: --network=host, and no user or cgroup namespace),"
          + " or have the policy restart it or leave it behind";

  private final Moves moves;
  private final HomeNamespaces home;
  private final Obstacles obstacles;

  NamespaceChecks(Moves moves, HomeNamespaces home, Obstacles obstacles) {
    this.moves = moves;
    this.home = home;
    this.obstacles = obstacles;
  }

  /** Names the process with which each container begins, not those that inherit from it. */
  void check() {
    for (Map.Entry<ProcessFacts, List<ProcessFacts>> tree : moves.trees().entrySet()) {
      ProcessFacts root = tree.getKey();
      for (ProcessFacts process : tree.getValue()) {
        if (process.equals(root)) {
          root(root);
        } else if (!inherited(process, tree.getValue())) {
          nested(process, root);
        }
      }
    }
  }

  private void root(ProcessFacts root) {
    List<Namespace> foreign = home.foreign(root);
    List<Namespace> staying = foreign.stream().filter(kind -> !kind.obstacle().isEmpty()).toList();
    if (!staying.isEmpty()) {
      obstacles.add(
          root,
          "it is in namespaces of its own that do not go over: "
              + staying.stream()
                  .map(kind -> named(root, kind) + ", " + kind.obstacle())
                  .collect(Collectors.joining("; ")),
          TODO);
      return;
    }
    if (foreign.contains(Namespace.PID) && !foreign.contains(Namespace.MOUNT)) {
      obstacles.add(
          root,
          "its PID namespace has the machine's mounts, whose /proc is of other processes",
          "start it with a mount namespace as well: unshare --mount-proc");
    }
    if (foreign.contains(Namespace.PID) && root.inner() != 1) {
      obstacles.add(
          root,
          "it has come into a PID namespace from outside: it is number "
              + root.inner()
              + " there, and CRIU takes a namespace with its number 1 only",
          "end what was started in a container beside what it is for, such as a shell");
    }
    for (Namespace kind : foreign) {
      sharer(root, kind)
          .ifPresent(
              other ->
                  obstacles.add(
                      root,
                      "its "
                          + named(root, kind)
                          + " namespace is also that of "
                          + other.label()
                          + ", which does not go over in the same tree",
                      "start each in one of its own, or both below one parent that moves"));
    }
  }

  /** Somebody in the same namespace but not in the tree. */
  private Optional<ProcessFacts> sharer(ProcessFacts root, Namespace kind) {
    String name = root.namespaces().getOrDefault(kind, "");
    return Stream.concat(moves.moving().stream(), moves.others().stream())
        .filter(other -> name.equals(other.namespaces().get(kind)))
        .filter(other -> !moves.treeOf(other.pid()).equals(Optional.of(root)))
        .findFirst();
  }

  private static boolean inherited(ProcessFacts process, List<ProcessFacts> tree) {
    return tree.stream()
        .anyMatch(
            one -> one.pid() == process.parent() && one.namespaces().equals(process.namespaces()));
  }

  private void nested(ProcessFacts process, ProcessFacts root) {
    String kinds =
        Namespace.all().stream()
            .filter(kind -> kind.differs(root.namespaces(), process.namespaces()))
            .map(kind -> named(process, kind))
            .collect(Collectors.joining(", "));
    if (!kinds.isEmpty()) {
      obstacles.add(
          process,
          "it is in other namespaces than the root of its tree, "
              + root.label()
              + ": "
              + kinds
              + ", and CRIU takes one of each with a tree",
          "have the policy move a container without what started it (run --detach)");
    }
  }

  private static String named(ProcessFacts process, Namespace kind) {
    return kind.word() + " (" + process.namespaces().getOrDefault(kind, "none") + ")";
  }
}
