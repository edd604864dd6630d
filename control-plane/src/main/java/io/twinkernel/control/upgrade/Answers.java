package io.twinkernel.control.upgrade;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What follows from a broker's answer to a command, or to the question where it stands. */
final class Answers {
  /** A broker's code for a verb that does not fit its stage: says nothing about the upgrade. */
  private static final String WRONG_STAGE = "wrong-stage";

  private static final String COMMITTED = "committed";
  private static final String IDLE = "Idle";

  /** In the answer to a switch that was not to be committed. */
  private static final String REHEARSED = "rehearsed";

  private final Steps steps;

  Answers(Steps steps) {
    this.steps = steps;
  }

  void succeeded(Upgrade.InFlight command, Map<String, Object> detail) {
    switch (command.verb()) {
      case PLAN -> {
        Optional<Failure> refusal = refusal(detail);
        if (refusal.isPresent()) {
          steps.end(Trigger.REFUSE, Phase.PLAN, refusal.get(), detail);
        } else {
          steps.done(command, detail);
        }
      }
      case PREPARE, BOOT, PRECOPY, ABSORB -> steps.done(command, detail);
      case SWITCH -> {
        if (detail.get(REHEARSED) instanceof Boolean rehearsed && rehearsed) {
          steps.move(Trigger.REHEARSE, Phase.SWITCH, Status.DONE, rehearsal(detail), detail, null);
        } else {
          steps.tell(
              Phase.SWITCH,
              Status.PROGRESS,
              "the primary has handed over; the secondary's word is awaited",
              detail);
        }
      }
      case ROLLBACK ->
          steps.move(
              Trigger.UNDONE,
              Phase.ROLLBACK,
              Status.DONE,
              "the primary goes on as before",
              detail,
              null);
      case STATUS -> throw new IllegalStateException("status is a probe");
    }
  }

  private static String rehearsal(Map<String, Object> detail) {
    return String.format(
        Locale.ROOT,
        "the gap would be about %.0f ms; the primary goes on as before, the processes stood still"
            + " for %.0f ms",
        millis(detail, "estimated_gap_ms"),
        millis(detail, "stopped_ms"));
  }

  private static double millis(Map<String, Object> detail, String name) {
    return detail.get(name) instanceof Number number ? number.doubleValue() : Double.NaN;
  }

  void failed(Upgrade.InFlight command, Failure failure) {
    boolean undone = failure.isUndone() && !failure.code().equals(WRONG_STAGE);
    switch (command.verb()) {
      case PLAN -> {
        if (failure.code().equals(WRONG_STAGE)) {
          // Something is left of an upgrade that is not in the journals.
          steps.startRollBack(failure.toString(), failure);
        } else {
          steps.end(Trigger.REFUSE, Phase.PLAN, failure, failure.toMap());
        }
      }
      case PREPARE, BOOT, PRECOPY -> {
        if (undone) {
          steps.end(Trigger.UNDONE, command.verb().phase(), failure, failure.toMap());
        } else {
          steps.startRollBack(failure.toString(), failure);
        }
      }
      case SWITCH -> {
        if (undone) {
          steps.end(Trigger.UNDONE, Phase.SWITCH, failure, failure.toMap());
        } else if (failure.code().equals(WRONG_STAGE)) {
          steps.tell(Phase.SWITCH, Status.PROGRESS, failure.toString(), failure.toMap());
        } else {
          steps.answered(command, Phase.SWITCH, Status.FAILED, failure, failure);
          steps.command(Verb.ROLLBACK);
        }
      }
      case ROLLBACK -> {
        if (failure.code().equals(COMMITTED) && steps.upgrade().state() == State.SWITCHING) {
          steps.answered(command, Phase.ROLLBACK, Status.FAILED, failure, null);
        } else if (undone && !failure.code().equals(COMMITTED)) {
          steps.end(Trigger.UNDONE, Phase.ROLLBACK, failure, failure.toMap());
        } else {
          steps.end(Trigger.GIVE_UP, Phase.ROLLBACK, failure, failure.toMap());
        }
      }
      case ABSORB -> steps.end(Trigger.GIVE_UP, Phase.ABSORB, failure, failure.toMap());
      case STATUS -> throw new IllegalStateException("status is a probe");
    }
  }

  /** The broker says where it stands: go on from there. */
  void probed(Role broker, Input.Replied reply) {
    String stage = reply.detail().get("stage") instanceof String text ? text : "";
    Upgrade.InFlight command = steps.upgrade().inFlight();
    Verb verb = command == null ? Verb.SWITCH : command.verb();
    if (reply.failure() != null || stage.isEmpty() || steps.upgrade().state().terminal()) {
      return; // The command's own reply may still come; if not, its deadline does.
    }
    if (steps.upgrade().state() == State.SWITCHING && broker == Role.SECONDARY) {
      commit(stage);
    } else if (verb == Verb.SWITCH) {
      probedInSwitch(stage, command);
    } else if (command == null) {
      return;
    } else if (stage.equals(verb.stageAfter())) {
      steps.done(command, reply.detail());
    } else if (stage.equals(verb.stageBefore()) || verb == Verb.ABSORB) {
      steps.again(command);
    } else {
      steps.startRollBack(
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
      steps.move(
          Trigger.COMMIT,
          Phase.RESUME,
          Status.DONE,
          "the secondary says that it owns the service",
          Map.of("stage", stage),
          null);
      steps.advance();
    }
  }

  private void probedInSwitch(String stage, Upgrade.@Nullable InFlight command) {
    if (stage.equals(Verb.SWITCH.stageBefore())) {
      if (command == null) {
        steps.command(Verb.SWITCH);
      } else {
        steps.again(command);
      }
    } else if (stage.equals(Verb.SWITCH.stageAfter())) {
      steps.tell(
          Phase.SWITCH,
          Status.PROGRESS,
          "the primary has handed over; the secondary's word is awaited",
          Map.of());
    } else if (stage.equals(IDLE)) {
      steps.tell(
          Phase.SWITCH,
          Status.PROGRESS,
          "the primary is back and knows of no upgrade; it is asked to undo what may be left",
          Map.of());
      steps.command(Verb.ROLLBACK);
    }
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
}
