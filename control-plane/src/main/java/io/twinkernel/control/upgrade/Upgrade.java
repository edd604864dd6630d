package io.twinkernel.control.upgrade;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An upgrade at one moment: what its journal adds up to.
 *
 * @param id random, unguessable
 * @param request what was asked for
 * @param createdMs ms since 1970
 * @param updatedMs ms since 1970 of the last entry
 * @param sequence of its last event, 0 before the first
 * @param lastCommand the highest number of a command so far
 * @param inFlight the command whose outcome is awaited
 * @param probe the {@code status} command whose answer is awaited
 * @param until the phase after which it waits
 * @param plan the primary's answer to {@code plan}
 * @param kernel release of the twin's kernel, once known
 * @param failure the first cause of a bad end
 */
public record Upgrade(
    String id,
    UpgradeRequest request,
    long createdMs,
    long updatedMs,
    State state,
    Owner owner,
    long sequence,
    long lastCommand,
    @Nullable InFlight inFlight,
    @Nullable Probe probe,
    @Nullable Verb until,
    Map<String, Object> plan,
    String kernel,
    @Nullable Failure failure) {

  /** A question on its way to a broker: where do you stand? */
  public record Probe(long number, Role to) {}

  /** A command on its way. */
  public record InFlight(long number, Verb verb, Map<String, Object> arguments) {}

  /** The upgrade that begins with that entry. */
  public static Upgrade begin(Entry.Requested entry) {
    return new Upgrade(
        entry.upgrade(),
        entry.request(),
        entry.atMs(),
        entry.atMs(),
        State.REQUESTED,
        Owner.PRIMARY,
        0,
        0,
        null,
        null,
        entry.request().until(),
        Map.of(),
        "",
        null);
  }

  /** Waits for an operator. */
  public boolean held() {
    return until != null && Verb.last(state).equals(Optional.of(until));
  }

  /**
   * The upgrade after that entry.
   *
   * @throws IllegalStateException if the entry cannot come here: the journal is not one of ours
   */
  public Upgrade apply(Entry entry) {
    return switch (entry) {
      case Entry.Requested _ -> throw new IllegalStateException("a second request in one upgrade");
      case Entry.Commanded commanded -> commanded(commanded);
      case Entry.Happened happened -> happened(happened);
      case Entry.Continued continued ->
          with(continued.atMs(), state, sequence, lastCommand, inFlight, probe, continued.until());
    };
  }

  private Upgrade commanded(Entry.Commanded entry) {
    if (state.terminal()) {
      throw new IllegalStateException("a command after the end, in " + state);
    }
    long last = Math.max(lastCommand, entry.number());
    if (entry.verb() == Verb.STATUS) {
      var asked = new Probe(entry.number(), entry.to());
      return with(entry.atMs(), state, sequence, last, inFlight, asked, until);
    }
    var command = new InFlight(entry.number(), entry.verb(), entry.arguments());
    return with(entry.atMs(), state, sequence, last, command, null, until);
  }

  private Upgrade happened(Entry.Happened entry) {
    UpgradeEvent event = entry.event();
    State next = state;
    Trigger trigger = entry.trigger();
    if (trigger != null) {
      next =
          Transitions.next(state, trigger)
              .orElseThrow(
                  () -> new IllegalStateException("no transition " + trigger + " from " + state));
    }
    if (event.sequence() != sequence + 1 || event.state() != next) {
      throw new IllegalStateException(
          "event "
              + event.sequence()
              + " says "
              + event.state()
              + " where "
              + (sequence + 1)
              + " and "
              + next
              + " follow");
    }
    Long answers = entry.answers();
    InFlight command = inFlight;
    if (trigger != null || (command != null && answers != null && answers == command.number())) {
      command = null;
    }
    Probe asked = trigger == null ? probe : null;
    Upgrade after =
        with(event.atMs().longValue(), next, event.sequence(), lastCommand, command, asked, until);
    return after.learn(entry, state, trigger == Trigger.ADOPT ? Owner.SECONDARY : after.owner());
  }

  /** Takes over who owns the service, and what the detail of a finished phase tells. */
  private Upgrade learn(Entry.Happened entry, State before, Owner owner) {
    Map<String, Object> detail = entry.event().detail();
    boolean planned =
        before == State.REQUESTED && (state == State.PLANNED || detail.containsKey("refusals"));
    String release = kernel;
    if (state == State.PLANNED && detail.get("to") instanceof String to) {
      release = to;
    } else if (state == State.BOOTED && detail.get("kernel") instanceof String booted) {
      release = booted;
    }
    return new Upgrade(
        id,
        request,
        createdMs,
        updatedMs,
        state,
        owner,
        sequence,
        lastCommand,
        inFlight,
        probe,
        until,
        planned ? detail : plan,
        release,
        failure == null ? entry.failure() : failure);
  }

  private Upgrade with(
      long atMs,
      State state,
      long sequence,
      long lastCommand,
      @Nullable InFlight inFlight,
      @Nullable Probe probe,
      @Nullable Verb until) {
    return new Upgrade(
        id,
        request,
        createdMs,
        Math.max(updatedMs, atMs),
        state,
        state.owner(owner),
        sequence,
        lastCommand,
        inFlight,
        probe,
        until,
        plan,
        kernel,
        failure);
  }
}
