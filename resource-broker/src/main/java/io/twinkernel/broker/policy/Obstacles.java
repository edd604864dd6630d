package io.twinkernel.broker.policy;

import io.twinkernel.broker.plan.Refusal;
import java.util.ArrayList;
import java.util.List;

/** Collects why processes cannot move. */
final class Obstacles {
  private static final String LEAVE = "end it there, or have the policy leave the process behind";

  private final List<Refusal> refusals = new ArrayList<>();

  /**
   * A process that cannot move for a reason of its own.
   *
   * @param why what is in the way
   * @param todo what the operator can do
   */
  void add(ProcessFacts process, String why, String todo) {
    refusals.add(new Refusal("cannot-move", process.label(), why, todo));
  }

  /** A descriptor that keeps its process from moving. */
  void add(ProcessFacts process, Descriptor descriptor, String why) {
    add(process, descriptor, why, LEAVE);
  }

  void add(ProcessFacts process, Descriptor descriptor, String why, String todo) {
    String what = process.label() + " fd " + descriptor.number() + " -> " + descriptor.target();
    refusals.add(new Refusal("cannot-move", what, why, todo));
  }

  /** A mapping that keeps its process from moving. */
  void add(ProcessFacts process, Mapping mapping, String why, String todo) {
    String what = process.label() + " memory at " + mapping.address() + " -> " + mapping.name();
    refusals.add(new Refusal("cannot-move", what, why, todo));
  }

  List<Refusal> all() {
    return List.copyOf(refusals);
  }
}
