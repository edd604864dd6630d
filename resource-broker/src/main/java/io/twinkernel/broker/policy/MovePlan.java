package io.twinkernel.broker.policy;

import io.twinkernel.broker.plan.Refusal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a policy moves on this machine now, and what is in the way.
 *
 * @param moves by disposition
 * @param files of the image's that the other kernel's image must hold
 * @param containers the trees that go over with mounts of their own
 * @param refusals empty: all that is to move can
 */
public record MovePlan(
    Moves moves, List<NeededFile> files, List<Container> containers, List<Refusal> refusals) {

  /** Keeps the lists from changing. */
  public MovePlan {
    files = List.copyOf(files);
    containers = List.copyOf(containers);
    refusals = List.copyOf(refusals);
  }

  /** With more in the way. */
  public MovePlan with(List<Refusal> further) {
    var all = new ArrayList<>(refusals);
    all.addAll(further);
    return new MovePlan(moves, files, containers, all);
  }

  /**
   * Looks at every process.
   *
   * @param self PID of this broker
   * @param disk where the disk is mounted that goes over with the processes; empty for none
   */
  public static MovePlan of(Policy policy, ProcReader reader, int self, String disk)
      throws IOException {
    List<ProcessFacts> all = reader.processes();
    Moves moves = Moves.of(policy, all, self);
    var obstacles = new Obstacles();
    Optional<ProcessFacts> broker =
        all.stream().filter(process -> process.pid() == self).findFirst();
    HomeNamespaces home = HomeNamespaces.of(broker);
    var files = new MovedFiles(disk);
    new TreeChecks(moves, all, home, obstacles).check();
    new NamespaceChecks(moves, home, obstacles).check();
    var containers = new ContainerChecks(reader, self, home, files, obstacles);
    for (ProcessFacts root : moves.trees().keySet()) {
      containers.check(root);
    }
    DescriptorChecks.check(reader, moves, home, files, obstacles);
    new MemoryChecks(reader, moves, home, files, obstacles).check();
    return new MovePlan(moves, files.needed(), containers.found(), obstacles.all());
  }
}
