package io.twinkernel.control.upgrade;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Says what follows from an input: the entries to be journalled. The caller journals them, then
 * does what they announce: sends each command, tells each event. It changes nothing itself.
 *
 * <p>Guarantees:
 *
 * <ul>
 *   <li>Before the switch a phase that fails, or whose deadline passes, ends in a rollback.
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
  /** A broker's code for a verb that does not fit its stage: says nothing about the upgrade. */
  private static final String WRONG_STAGE = "wrong-stage";

  private static final String COMMITTED = "committed";
  private static final String IDLE = "Idle";

  private final LongSupplier numbers;
  private final long now;
  private final List<Entry> entries = new ArrayList<>();
  private Upgrade upgrade;

  private Decider(Upgrade upgrade, LongSupplier numbers, long now) {
    this.upgrade = upgrade;
    this.numbers = numbers;
    this.now = now;
  }

  /**
   * What follows from an input.
   *
   * @param numbers gives command numbers never given before
   * @param nowMs ms since 1970
   * @return what happens, in order; empty if nothing does
   */
  public static List<Entry> decide(Upgrade upgrade, Input input, LongSupplier numbers, long nowMs) {
    var decider = new Decider(upgrade, numbers, nowMs);
    switch (input) {
      case Input.Begin _ -> decider.advance();
      case Input.Continue(Verb until) -> decider.proceed(until);
      case Input.RollBack _ -> decider.rollBackOnDemand();
      case Input.Dialled dialled -> decider.dialled(dialled);
      case Input.Lost(Role role) -> decider.lost(role);
      case Input.Said said -> decider.said(said);
      case Input.Replied replied -> decider.replied(replied);
      case Input.Overdue(long command) -> decider.overdue(command);
    }
    return List.copyOf(decider.entries);
  }

  // --- what operators want

  private void proceed(@Nullable Verb until) {
    if (upgrade.held()) {
      add(new Entry.Continued(now, until));
      advance();
    }
  }

  private void rollBackOnDemand() {
    if (upgrade.state().beforeSwitch()) {
      startRollBack("an operator asked for it", null);
    } else if (upgrade.state() == State.SWITCHING && !awaits(Verb.ROLLBACK)) {
      tell(
          Phase.ROLLBACK,
          Status.STARTED,
          "an operator asked for it in the switch: the primary undoes it unless it is committed",
          Map.of());
      command(Verb.ROLLBACK);
    }
  }

  // --- what brokers do

  private void dialled(Input.Dialled dialled) {
    State state = upgrade.state();
    if (state.terminal()) {
      return;
    }
    Upgrade.InFlight command = upgrade.inFlight();
    if (command == null && state != State.SWITCHING) {
      advance();
    } else if (command != null && command.verb().role() == dialled.role()) {
      switch (command.verb()) {
        case PLAN, ROLLBACK -> again(command);
        case PREPARE, BOOT, PRECOPY, SWITCH, ABSORB -> probe(dialled.role());
        case STATUS -> throw new IllegalStateException("status is a probe");
      }
    } else if (state == State.SWITCHING) {
      // Whoever it is knows how it went, or will; what it said meanwhile may be lost.
      probe(dialled.role());
    }
  }

  private void lost(Role role) {
    Upgrade.InFlight command = upgrade.inFlight();
    if (command != null && command.verb().role() == role) {
      tell(
          command.verb().phase(),
          Status.PROGRESS,
          upgrade.state() == State.SWITCHING
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
    boolean commits = resumed && upgrade.state() == State.SWITCHING;
    add(
        new Entry.Happened(
            event(said, commits ? State.COMMITTED : upgrade.state()),
            commits ? Trigger.COMMIT : null,
            null,
            null));
    if (commits) {
      advance();
    } else if (resumed && upgrade.owner() != Owner.SECONDARY) {
      tell(
          Phase.RESUME,
          Status.FAILED,
          "the secondary says that it owns the service, but the upgrade is "
              + upgrade.state()
              + ": look at both kernels before anything else",
          Map.of());
    }
  }

  private void replied(Input.Replied reply) {
    Upgrade.InFlight command = upgrade.inFlight();
    Upgrade.Probe probe = upgrade.probe();
    if (probe != null && probe.number() == reply.command()) {
      probed(probe.to(), reply);
    } else if (command != null && command.number() == reply.command()) {
      Failure failure = reply.failure();
      if (failure == null) {
        succeeded(command, reply.detail());
      } else {
        failed(command, failure);
      }
    }
  }

  private void succeeded(Upgrade.InFlight command, Map<String, Object> detail) {
    switch (command.verb()) {
      case PLAN -> {
        Optional<Failure> refusal = refusal(detail);
        if (refusal.isPresent()) {
          end(Trigger.REFUSE, Phase.PLAN, refusal.get(), detail);
        } else {
          done(command, detail);
        }
      }
      case PREPARE, BOOT, PRECOPY, ABSORB -> done(command, detail);
      case SWITCH ->
          tell(
              Phase.SWITCH,
              Status.PROGRESS,
              "the primary has handed over; the secondary's word is awaited",
              detail);
      case ROLLBACK ->
          move(
              Trigger.UNDONE,
              Phase.ROLLBACK,
              Status.DONE,
              "the primary goes on as before",
              detail,
              null);
      case STATUS -> throw new IllegalStateException("status is a probe");
    }
  }

  private void failed(Upgrade.InFlight command, Failure failure) {
    boolean undone = failure.isUndone() && !failure.code().equals(WRONG_STAGE);
    switch (command.verb()) {
      case PLAN -> end(Trigger.REFUSE, Phase.PLAN, failure, failure.toMap());
      case PREPARE, BOOT, PRECOPY -> {
        if (undone) {
          end(Trigger.UNDONE, command.verb().phase(), failure, failure.toMap());
        } else {
          startRollBack(failure.toString(), failure);
        }
      }
      case SWITCH -> {
        if (undone) {
          end(Trigger.UNDONE, Phase.SWITCH, failure, failure.toMap());
        } else if (failure.code().equals(WRONG_STAGE)) {
          tell(Phase.SWITCH, Status.PROGRESS, failure.toString(), failure.toMap());
        } else {
          answered(command, Phase.SWITCH, Status.FAILED, failure, failure);
          command(Verb.ROLLBACK);
        }
      }
      case ROLLBACK -> {
        if (failure.code().equals(COMMITTED) && upgrade.state() == State.SWITCHING) {
          answered(command, Phase.ROLLBACK, Status.FAILED, failure, null);
        } else if (undone && !failure.code().equals(COMMITTED)) {
          end(Trigger.UNDONE, Phase.ROLLBACK, failure, failure.toMap());
        } else {
          end(Trigger.GIVE_UP, Phase.ROLLBACK, failure, failure.toMap());
        }
      }
      case ABSORB -> end(Trigger.GIVE_UP, Phase.ABSORB, failure, failure.toMap());
      case STATUS -> throw new IllegalStateException("status is a probe");
    }
  }

  /** The broker says where it stands: go on from there. */
  private void probed(Role broker, Input.Replied reply) {
    String stage = reply.detail().get("stage") instanceof String text ? text : "";
    Upgrade.InFlight command = upgrade.inFlight();
    Verb verb = command == null ? Verb.SWITCH : command.verb();
    if (reply.failure() != null || stage.isEmpty() || upgrade.state().terminal()) {
      return; // The command's own reply may still come; if not, its deadline does.
    }
    if (upgrade.state() == State.SWITCHING && broker == Role.SECONDARY) {
      commit(stage);
    } else if (verb == Verb.SWITCH) {
      probedInSwitch(stage, command);
    } else if (command == null) {
      return;
    } else if (stage.equals(verb.stageAfter())) {
      done(command, reply.detail());
    } else if (stage.equals(verb.stageBefore()) || verb == Verb.ABSORB) {
      again(command);
    } else {
      startRollBack(
          "the broker lost its place",
          new Failure(
              "broker-restarted",
              "the phase " + verb.word(),
              "the broker stands at " + stage + " instead of " + verb.stageBefore(),
              "read the node's console for why its broker restarted, then try again"));
    }
  }

  /** The secondary's word in answer to a question, in case its event was lost. */
  private void commit(String stage) {
    if (stage.equals(Verb.ABSORB.stageBefore()) || stage.equals(Verb.ABSORB.stageAfter())) {
      move(
          Trigger.COMMIT,
          Phase.RESUME,
          Status.DONE,
          "the secondary says that it owns the service",
          Map.of("stage", stage),
          null);
      advance();
    }
  }

  private void probedInSwitch(String stage, Upgrade.@Nullable InFlight command) {
    if (stage.equals(Verb.SWITCH.stageBefore())) {
      if (command == null) {
        command(Verb.SWITCH);
      } else {
        again(command);
      }
    } else if (stage.equals(Verb.SWITCH.stageAfter())) {
      tell(
          Phase.SWITCH,
          Status.PROGRESS,
          "the primary has handed over; the secondary's word is awaited",
          Map.of());
    } else if (stage.equals(IDLE)) {
      tell(
          Phase.SWITCH,
          Status.PROGRESS,
          "the primary is back and knows of no upgrade; it is asked to undo what may be left",
          Map.of());
      command(Verb.ROLLBACK);
    }
  }

  // --- what time does

  private void overdue(long number) {
    Upgrade.InFlight command = upgrade.inFlight();
    if (command == null || command.number() != number) {
      return;
    }
    var failure =
        new Failure(
            "deadline-passed",
            "the phase " + command.verb().word(),
            "the broker did not finish it in time",
            "read the node's console; on a slow machine give more time (--deadline-scale)");
    switch (upgrade.state()) {
      case REQUESTED -> end(Trigger.REFUSE, Phase.PLAN, failure, failure.toMap());
      case PLANNED, PREPARED, BOOTED, PRECOPIED -> startRollBack(failure.toString(), failure);
      case SWITCHING ->
          tell(
              Phase.SWITCH,
              Status.PROGRESS,
              "no word from either broker in time; the control plane goes on waiting for one",
              failure.toMap());
      case COMMITTED -> end(Trigger.GIVE_UP, Phase.ABSORB, failure, failure.toMap());
      case ROLLING_BACK -> end(Trigger.GIVE_UP, Phase.ROLLBACK, failure, failure.toMap());
      case ABSORBED, COMPLETE, ROLLED_BACK, REFUSED, FAILED -> {
        // Nothing is in flight in these.
      }
    }
  }

  // --- steps

  /** Sends what comes next, unless something is awaited. */
  private void advance() {
    if (upgrade.inFlight() != null || upgrade.held()) {
      return;
    }
    if (upgrade.state() == State.ABSORBED) {
      move(
          Trigger.FINISH,
          Phase.COMPLETE,
          Status.DONE,
          "the node runs " + (upgrade.kernel().isEmpty() ? "the new kernel" : upgrade.kernel()),
          Map.of(),
          null);
    }
    if (upgrade.state() == State.PRECOPIED) {
      move(Trigger.SWITCH, Phase.SWITCH, Status.STARTED, "go", Map.of(), null);
      command(Verb.SWITCH);
      return;
    }
    Verb.next(upgrade.state())
        .ifPresent(
            verb -> {
              command(verb);
              tell(verb.phase(), Status.STARTED, verb.word() + " begins", Map.of());
            });
  }

  private void done(Upgrade.InFlight command, Map<String, Object> detail) {
    Verb verb = command.verb();
    String waits = verb == upgrade.until() ? "; waits here as asked: continue or roll it back" : "";
    move(Trigger.DONE, verb.phase(), Status.DONE, verb.word() + " is done" + waits, detail, null);
    advance();
  }

  private void startRollBack(String why, @Nullable Failure failure) {
    Upgrade.InFlight command = upgrade.inFlight();
    if (failure != null && command != null) {
      answered(command, command.verb().phase(), Status.FAILED, failure, failure);
    }
    move(
        Trigger.ROLL_BACK,
        Phase.ROLLBACK,
        Status.STARTED,
        "rolling back: " + why,
        Map.of(),
        failure);
    command(Verb.ROLLBACK);
  }

  private void answered(
      Upgrade.InFlight command,
      Phase phase,
      Status status,
      Failure failure,
      @Nullable Failure cause) {
    add(
        new Entry.Happened(
            event(phase, status, upgrade.state(), failure.toString(), failure.toMap()),
            null,
            command.number(),
            cause));
  }

  private void end(Trigger trigger, Phase phase, Failure failure, Map<String, Object> detail) {
    move(trigger, phase, Status.FAILED, failure.toString(), detail, failure);
  }

  private void move(
      Trigger trigger,
      Phase phase,
      Status status,
      String message,
      Map<String, Object> detail,
      @Nullable Failure failure) {
    State next =
        Transitions.next(upgrade.state(), trigger)
            .orElseThrow(() -> new IllegalStateException(trigger + " in " + upgrade.state()));
    Upgrade.InFlight command = upgrade.inFlight();
    add(
        new Entry.Happened(
            event(phase, status, next, message, detail),
            trigger,
            command == null ? null : command.number(),
            failure));
  }

  private void tell(Phase phase, Status status, String message, Map<String, Object> detail) {
    add(
        new Entry.Happened(
            event(phase, status, upgrade.state(), message, detail), null, null, null));
  }

  private void command(Verb verb) {
    Map<String, Object> arguments = verb == Verb.PLAN ? upgrade.request().arguments() : Map.of();
    add(new Entry.Commanded(now, numbers.getAsLong(), verb, verb.role(), arguments));
  }

  private void again(Upgrade.InFlight command) {
    Verb verb = command.verb();
    add(new Entry.Commanded(now, command.number(), verb, verb.role(), command.arguments()));
  }

  private void probe(Role broker) {
    add(new Entry.Commanded(now, numbers.getAsLong(), Verb.STATUS, broker, Map.of()));
  }

  private UpgradeEvent event(
      Phase phase, Status status, State state, String message, Map<String, Object> detail) {
    return new UpgradeEvent(
        upgrade.id(),
        upgrade.sequence() + 1,
        BigDecimal.valueOf(now).setScale(3),
        upgrade.request().node(),
        "",
        phase,
        status,
        state,
        message,
        detail,
        null);
  }

  private UpgradeEvent event(Input.Said said, State state) {
    return new UpgradeEvent(
        upgrade.id(),
        upgrade.sequence() + 1,
        said.atMs(),
        upgrade.request().node(),
        said.kernel(),
        said.phase(),
        said.status(),
        state,
        said.message(),
        said.detail(),
        said.tsc());
  }

  private void add(Entry entry) {
    upgrade = upgrade.apply(entry);
    entries.add(entry);
  }

  /** A plan may come back with reasons against it. */
  private static Optional<Failure> refusal(Map<String, Object> plan) {
    if (!(plan.get("refusals") instanceof List<?> refusals) || refusals.isEmpty()) {
      return Optional.empty();
    }
    if (refusals.getFirst() instanceof Map<?, ?> first) {
      var fields = new LinkedHashMap<String, String>();
      first.forEach((key, value) -> fields.put(String.valueOf(key), String.valueOf(value)));
      return Optional.of(
          new Failure(
              fields.getOrDefault("code", "plan-refused"),
              fields.getOrDefault("what", "the plan"),
              fields.getOrDefault("why", "the node gave no reason"),
              fields.getOrDefault("todo", "")));
    }
    return Optional.of(
        new Failure("plan-refused", "the plan", String.valueOf(refusals.getFirst()), "", null));
  }

  private boolean awaits(Verb verb) {
    Upgrade.InFlight command = upgrade.inFlight();
    return command != null && command.verb() == verb;
  }
}
