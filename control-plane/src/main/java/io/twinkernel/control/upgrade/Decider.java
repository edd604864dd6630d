package io.twinkernel.control.upgrade;

import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Says what follows from an input: the entries to be journalled. The caller journals them, then
 * does what they announce: sends each command, tells each event. It changes nothing itself.
 *
 * <p>Guarantees:
 *
 * <ul>
 *   <li>Before the switch a phase that fails, or whose deadline passes, ends in a rollback; so does
 *       the death of the twin. If the primary panics, only the secondary can say so, and it ends.
 *   <li>In the switch nothing is decided here: only the primary's word that all is undone, or the
 *       secondary's that it has resumed, ends it. A rollback may be asked for; the primary decides.
 *   <li>After the commit nothing leads back.
 *   <li>A command whose fate is unknown (the broker dials in again, the control plane restarts) is
 *       not sent twice blindly: the broker is asked where it stands first, and gets the command
 *       again, under the same number, only if it stands before it. {@code plan} and {@code
 *       rollback} change nothing when repeated and are sent again at once.
 * </ul>
 */
public final class Decider {
  private final Steps steps;
  private final Answers answers;

  private Decider(Steps steps) {
    this.steps = steps;
    this.answers = new Answers(steps);
  }

  /**
   * What follows from an input.
   *
   * @param numbers gives command numbers never given before
   * @param nowMs ms since 1970
   * @return what happens, in order; empty if nothing does
   */
  public static List<Entry> decide(Upgrade upgrade, Input input, LongSupplier numbers, long nowMs) {
    var steps = new Steps(upgrade, numbers, nowMs);
    var decider = new Decider(steps);
    switch (input) {
      case Input.Begin _ -> steps.advance();
      case Input.Continue(Verb until) -> decider.proceed(until);
      case Input.RollBack _ -> decider.rollBackOnDemand();
      case Input.Dialled dialled -> decider.dialled(dialled);
      case Input.Lost(Role role) -> decider.lost(role);
      case Input.Said said -> decider.said(said);
      case Input.Replied replied -> decider.replied(replied);
      case Input.Overdue(long command) -> decider.overdue(command);
    }
    return steps.entries();
  }

  // --- what operators want

  private void proceed(@Nullable Verb until) {
    if (steps.upgrade().held()) {
      steps.proceed(until);
    }
  }

  private void rollBackOnDemand() {
    if (steps.upgrade().state().beforeSwitch()) {
      steps.startRollBack("an operator asked for it", null);
    } else if (steps.upgrade().state() == State.SWITCHING && !steps.awaits(Verb.ROLLBACK)) {
      steps.tell(
          Phase.ROLLBACK,
          Status.STARTED,
          "an operator asked for it in the switch: the primary undoes it unless it is committed",
          Map.of());
      steps.command(Verb.ROLLBACK);
    }
  }

  // --- what brokers do

  private void dialled(Input.Dialled dialled) {
    State state = steps.upgrade().state();
    if (state.terminal()) {
      return;
    }
    Upgrade.InFlight command = steps.upgrade().inFlight();
    if (command == null && state != State.SWITCHING) {
      steps.advance();
    } else if (command != null && command.verb().role() == dialled.role()) {
      switch (command.verb()) {
        case PLAN, ROLLBACK -> steps.again(command);
        case PREPARE, BOOT, PRECOPY, SWITCH, ABSORB -> steps.probe(dialled.role());
        case STATUS -> throw new IllegalStateException("status is a probe");
      }
    } else if (state == State.SWITCHING) {
      // Whoever it is knows how it went, or will; what it said meanwhile may be lost.
      steps.probe(dialled.role());
    }
  }

  private void lost(Role role) {
    Upgrade.InFlight command = steps.upgrade().inFlight();
    if (command != null && command.verb().role() == role) {
      steps.tell(
          command.verb().phase(),
          Status.PROGRESS,
          steps.upgrade().state() == State.SWITCHING
              ? "the primary is out of reach while the brokers hand over"
              : "the broker is out of reach; waiting for it to dial in again",
          Map.of());
    }
  }

  private void said(Input.Said said) {
    boolean resumed =
        said.role() == Role.SECONDARY
            && said.phase() == Phase.RESUME
            && said.status() == Status.DONE;
    boolean commits = resumed && steps.upgrade().state() == State.SWITCHING;
    steps.add(
        new Entry.Happened(
            steps.event(said, commits ? State.COMMITTED : steps.upgrade().state()),
            commits ? Trigger.COMMIT : null,
            null,
            null));
    if (commits) {
      steps.advance();
    } else if (said.phase() == Phase.ROLLBACK && said.role() == Role.PRIMARY) {
      undoneUnasked(said);
    } else if (said.adopts()) {
      adopted(said);
    } else if (resumed && steps.upgrade().owner() != Owner.SECONDARY) {
      steps.tell(
          Phase.RESUME,
          Status.FAILED,
          "the secondary says that it owns the service, but the upgrade is "
              + steps.upgrade().state()
              + ": look at both kernels before anything else",
          Map.of());
    }
  }

  /** The primary lost its twin and undid everything by itself; it is asked to confirm that. */
  private void undoneUnasked(Input.Said said) {
    if (said.status() == Status.DONE
        && steps.upgrade().inFlight() == null
        && steps.upgrade().state().beforeSwitch()) {
      steps.startRollBack("the twin died", Failure.of(said, "twin-died"));
    }
  }

  /** The secondary outlived the primary: there is nothing to roll back to. */
  private void adopted(Input.Said said) {
    if (Transitions.next(steps.upgrade().state(), Trigger.ADOPT).isPresent()) {
      steps.end(Trigger.ADOPT, Phase.ROLLBACK, Failure.of(said, "primary-panicked"), Map.of());
    }
  }

  private void replied(Input.Replied reply) {
    Upgrade.InFlight command = steps.upgrade().inFlight();
    Upgrade.Probe probe = steps.upgrade().probe();
    if (probe != null && probe.number() == reply.command()) {
      answers.probed(probe.to(), reply);
    } else if (command != null && command.number() == reply.command()) {
      Failure failure = reply.failure();
      if (failure == null) {
        answers.succeeded(command, reply.detail());
      } else {
        answers.failed(command, failure);
      }
    }
  }

  // --- what time does

  private void overdue(long number) {
    Upgrade.InFlight command = steps.upgrade().inFlight();
    if (command == null || command.number() != number) {
      return;
    }
    var failure =
        new Failure(
            "deadline-passed",
            "the phase " + command.verb().word(),
            "the broker did not finish it in time",
            "read the node's console; on a slow machine give more time (--deadline-scale)");
    switch (steps.upgrade().state()) {
      case REQUESTED -> steps.end(Trigger.REFUSE, Phase.PLAN, failure, failure.toMap());
      case PLANNED, PREPARED, BOOTED, PRECOPIED -> steps.startRollBack(failure.toString(), failure);
      case SWITCHING ->
          steps.tell(
              Phase.SWITCH,
              Status.PROGRESS,
              "no word from either broker in time; the control plane goes on waiting for one",
              failure.toMap());
      case COMMITTED -> steps.end(Trigger.GIVE_UP, Phase.ABSORB, failure, failure.toMap());
      case ROLLING_BACK -> steps.end(Trigger.GIVE_UP, Phase.ROLLBACK, failure, failure.toMap());
      case ABSORBED, COMPLETE, ROLLED_BACK, REHEARSED, REFUSED, FAILED -> {
        // Nothing is in flight in these.
      }
    }
  }
}
