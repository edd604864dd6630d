package io.twinkernel.broker.policy;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Containers do not move: the other kernel has neither their mounts nor their interfaces, and the
 * numbers, names and users in them are not those outside.
 */
final class NamespaceChecks {
  private final Map<Namespace, String> own;
  private final Obstacles obstacles;

  /**
   * @param own those of this broker; a kind that is missing is not compared
   */
  NamespaceChecks(Map<Namespace, String> own, Obstacles obstacles) {
    this.own = Map.copyOf(own);
    this.obstacles = obstacles;
  }

  /** Names the process with which each container begins, not those that inherit from it. */
  void check(List<ProcessFacts> moving) {
    for (ProcessFacts process : moving) {
      boolean inherited =
          moving.stream()
              .anyMatch(
                  one ->
                      one.pid() == process.parent()
                          && one.namespaces().equals(process.namespaces()));
      List<Namespace> foreign = foreign(process);
      if (!inherited && !foreign.isEmpty()) {
        obstacles.add(
            process,
            "it is in namespaces of its own, as a container is, which do not go over: "
                + foreign.stream()
                    .map(kind -> kind.word() + " (" + process.namespaces().get(kind) + ")")
                    .collect(Collectors.joining(", ")),
            "start it in those of the machine, or have the policy restart it or leave it behind");
      }
    }
  }

  private List<Namespace> foreign(ProcessFacts process) {
    return Namespace.all().stream()
        .filter(
            kind -> {
              String here = own.get(kind);
              String there = process.namespaces().get(kind);
              return here != null && there != null && !here.equals(there);
            })
        .toList();
  }
}
