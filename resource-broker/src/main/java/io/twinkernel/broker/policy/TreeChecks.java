package io.twinkernel.broker.policy;

import io.twinkernel.broker.process.PidSpace;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What of the relations between processes keeps a tree from moving. */
final class TreeChecks {
  private final Moves moves;
  private final List<ProcessFacts> all;
  private final HomeNamespaces home;
  private final Obstacles obstacles;

  TreeChecks(Moves moves, List<ProcessFacts> all, HomeNamespaces home, Obstacles obstacles) {
    this.moves = moves;
    this.all = all;
    this.home = home;
    this.obstacles = obstacles;
  }

  void check() {
    for (Map.Entry<ProcessFacts, List<ProcessFacts>> tree : moves.trees().entrySet()) {
      for (ProcessFacts process : tree.getValue()) {
        leaders(process, tree.getValue());
        threads(process);
        if (process.tracer() != 0) {
          obstacles.add(
              process,
              "pid " + process.tracer() + " traces it, and CRIU must",
              "detach the debugger or tracer");
        }
        if (!process.ipcNamespace().equals(tree.getKey().ipcNamespace())) {
          obstacles.add(
              process,
              "it is in another IPC namespace than the root of its tree, " + tree.getKey().label(),
              "start the whole tree in one IPC namespace");
        }
      }
    }
    for (ProcessFacts other : moves.others()) {
      staying(other);
    }
  }

  private void leaders(ProcessFacts process, List<ProcessFacts> tree) {
    leader(process, tree, "session", process.session());
    if (process.group() != process.session()) {
      leader(process, tree, "process group", process.group());
    }
  }

  private void leader(ProcessFacts process, List<ProcessFacts> tree, String of, int leader) {
    if (tree.stream().noneMatch(one -> one.pid() == leader)) {
      obstacles.add(
          process,
          "the leader of its " + of + ", " + name(leader) + ", is not in the same tree",
          "start the tree with setsid, so that its root leads session and process group");
    }
  }

  private String name(int pid) {
    Optional<ProcessFacts> found = all.stream().filter(one -> one.pid() == pid).findFirst();
    return found.map(ProcessFacts::label).orElse("pid " + pid + " (ended)");
  }

  private void threads(ProcessFacts process) {
    if (home.foreign(process, Namespace.PID)) {
      return; // it keeps the number that it has in its namespace, and gets another one outside
    }
    for (int thread : process.threads()) {
      if (thread < PidSpace.FIRST_FREE) {
        obstacles.add(
            process,
            "its thread number "
                + thread
                + " will be taken in the other kernel, whose own threads get those below "
                + PidSpace.FIRST_FREE,
            "start it anew with kernel.ns_last_pid set higher");
        return;
      }
    }
  }

  /** What stays must neither be frozen with those that move, nor be a child of theirs. */
  private void staying(ProcessFacts other) {
    Path cgroup = Moves.directory(other.cgroup());
    for (Path moving : moves.cgroups()) {
      if (cgroup.startsWith(moving)) {
        obstacles.add(
            other,
            "by the policy it does not move, but its cgroup "
                + moving
                + " is stopped for those"
                + " that do",
            "put it into a cgroup of its own, or have the policy move it");
      }
    }
    moves
        .treeOf(other.parent())
        .ifPresent(
            root ->
                obstacles.add(
                    other,
                    "by the policy it does not move, but its parent does, in the tree of "
                        + root.label(),
                    "have the policy move it, too"));
  }
}
