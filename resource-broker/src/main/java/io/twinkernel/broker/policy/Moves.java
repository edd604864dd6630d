package io.twinkernel.broker.policy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a policy means for the processes that there are.
 *
 * @param trees the processes that move, by the root of the tree that they are in
 * @param restarted the rules by which something is started anew, and what they select now
 * @param others all other processes of user space
 */
public record Moves(
    Map<ProcessFacts, List<ProcessFacts>> trees,
    Map<Rule, List<ProcessFacts>> restarted,
    List<ProcessFacts> others) {

  /**
   * Asks the policy about each process.
   *
   * @param self PID of this broker: it is in both kernels, and never moves; nor does its guard, a
   *     child that runs the same program
   */
  public static Moves of(Policy policy, List<ProcessFacts> processes, int self) {
    var restarted = new LinkedHashMap<Rule, List<ProcessFacts>>();
    var moving = new LinkedHashMap<Integer, ProcessFacts>();
    var others = new ArrayList<ProcessFacts>();
    Set<Integer> own = own(processes, self);
    for (ProcessFacts process : processes) {
      if (process.kernelThread()) {
        continue;
      }
      Optional<Rule> rule =
          own.contains(process.pid()) ? Optional.empty() : policy.ruleFor(process);
      if (rule.isPresent() && rule.get().disposition() == Disposition.MOVE) {
        moving.put(process.pid(), process);
      } else {
        others.add(process);
        if (rule.isPresent() && rule.get().disposition() == Disposition.RESTART) {
          restarted.computeIfAbsent(rule.get(), _ -> new ArrayList<>()).add(process);
        }
      }
    }
    var trees = new LinkedHashMap<ProcessFacts, List<ProcessFacts>>();
    for (ProcessFacts process : moving.values()) {
      ProcessFacts root = process;
      for (ProcessFacts up = process; up != null; up = moving.get(up.parent())) {
        root = up;
      }
      trees.computeIfAbsent(root, _ -> new ArrayList<>()).add(process);
    }
    return new Moves(trees, restarted, List.copyOf(others));
  }

  private static Set<Integer> own(List<ProcessFacts> processes, int self) {
    var own = new HashSet<Integer>(Set.of(self));
    for (ProcessFacts broker : processes) {
      if (broker.pid() == self && !broker.executable().isEmpty()) {
        processes.stream()
            .filter(one -> one.parent() == self && one.executable().equals(broker.executable()))
            .forEach(guard -> own.add(guard.pid()));
      }
    }
    return own;
  }

  /** Every process that moves. */
  public List<ProcessFacts> moving() {
    return trees.values().stream().flatMap(List::stream).toList();
  }

  /** The root of the tree that a process is in; empty if it does not move. */
  Optional<ProcessFacts> treeOf(int pid) {
    return trees.entrySet().stream()
        .filter(tree -> tree.getValue().stream().anyMatch(process -> process.pid() == pid))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /**
   * The cgroups to stop, as directories: those that hold a process that moves, without those below
   * another one of them.
   */
  public List<Path> cgroups() {
    Set<Path> all = new LinkedHashSet<>();
    for (ProcessFacts process : moving()) {
      all.add(directory(process.cgroup()));
    }
    return all.stream()
        .filter(one -> all.stream().noneMatch(other -> !one.equals(other) && one.startsWith(other)))
        .sorted()
        .toList();
  }

  /** Where a cgroup lies in the file system. */
  static Path directory(String cgroup) {
    return Path.of("/sys/fs/cgroup").resolve(cgroup);
  }
}
