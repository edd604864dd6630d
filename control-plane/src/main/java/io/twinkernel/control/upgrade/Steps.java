package io.twinkernel.control.upgrade;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The entries of one decision as they come about, and the upgrade as they leave it. */
final class Steps {
  private final LongSupplier numbers;
  private final long now;
  private final List<Entry> entries = new ArrayList<>();
  private Upgrade upgrade;

  Steps(Upgrade upgrade, LongSupplier numbers, long now) {
    this.upgrade = upgrade;
    this.numbers = numbers;
    this.now = now;
  }

  /** As it is after the steps so far. */
  Upgrade upgrade() {
    return upgrade;
  }

  List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** An operator lets it go on. */
  void proceed(@Nullable Verb until) {
    add(new Entry.Continued(now, until));
    advance();
  }

  /** Sends what comes next, unless something is awaited. */
  void advance() {
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

  void done(Upgrade.InFlight command, Map<String, Object> detail) {
    Verb verb = command.verb();
    String waits = verb == upgrade.until() ? "; waits here as asked: continue or roll it back" : "";
    move(Trigger.DONE, verb.phase(), Status.DONE, verb.word() + " is done" + waits, detail, null);
    advance();
  }

  void startRollBack(String why, @Nullable Failure failure) {
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

  void answered(
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

  void end(Trigger trigger, Phase phase, Failure failure, Map<String, Object> detail) {
    move(trigger, phase, Status.FAILED, failure.toString(), detail, failure);
  }

  void move(
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

  void tell(Phase phase, Status status, String message, Map<String, Object> detail) {
    add(
        new Entry.Happened(
            event(phase, status, upgrade.state(), message, detail), null, null, null));
  }

  void command(Verb verb) {
    Map<String, Object> arguments = verb == Verb.PLAN ? upgrade.request().arguments() : Map.of();
    add(new Entry.Commanded(now, numbers.getAsLong(), verb, verb.role(), arguments));
  }

  void again(Upgrade.InFlight command) {
    Verb verb = command.verb();
    add(new Entry.Commanded(now, command.number(), verb, verb.role(), command.arguments()));
  }

  void probe(Role broker) {
    add(new Entry.Commanded(now, numbers.getAsLong(), Verb.STATUS, broker, Map.of()));
  }

  UpgradeEvent event(
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

  UpgradeEvent event(Input.Said said, State state) {
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

  void add(Entry entry) {
    upgrade = upgrade.apply(entry);
    entries.add(entry);
  }

  boolean awaits(Verb verb) {
    Upgrade.InFlight command = upgrade.inFlight();
    return command != null && command.verb() == verb;
  }
}
