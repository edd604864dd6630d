package io.twinkernel.control.upgrade;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * All transitions of an upgrade, as a constant. Its guarantees are checked when the class loads:
 *
 * <ul>
 *   <li>one target for a state and a trigger; every state is reachable;
 *   <li>a state has an exit exactly if it is not {@linkplain State#terminal() terminal}, and from
 *       every state a terminal one can be reached;
 *   <li>COMMITTED is entered from SWITCHING only, by the secondary's word, and nothing leads from
 *       it back to a state in which the primary owns the service;
 *   <li>SWITCHING is left only by a broker's word.
 * </ul>
 */
public final class Transitions {

  /** From a state, by a trigger, to a state. */
  public record Transition(State from, Trigger trigger, State to) {}

  private static final Transition GIVEN_UP_BOOTED =
      new Transition(State.BOOTED, Trigger.GIVE_UP, State.FAILED);

  private static final Transition GIVEN_UP_PRECOPIED =
      new Transition(State.PRECOPIED, Trigger.GIVE_UP, State.FAILED);

  private static final List<Transition> TABLE =
      checked(
          List.of(
              new Transition(State.REQUESTED, Trigger.DONE, State.PLANNED),
              new Transition(State.REQUESTED, Trigger.REFUSE, State.REFUSED),
              new Transition(State.REQUESTED, Trigger.ROLL_BACK, State.ROLLING_BACK),
              new Transition(State.PLANNED, Trigger.DONE, State.PREPARED),
              new Transition(State.PLANNED, Trigger.UNDONE, State.ROLLED_BACK),
              new Transition(State.PLANNED, Trigger.ROLL_BACK, State.ROLLING_BACK),
              new Transition(State.PREPARED, Trigger.DONE, State.BOOTED),
              new Transition(State.PREPARED, Trigger.UNDONE, State.ROLLED_BACK),
              new Transition(State.PREPARED, Trigger.ROLL_BACK, State.ROLLING_BACK),
              new Transition(State.BOOTED, Trigger.DONE, State.PRECOPIED),
              new Transition(State.BOOTED, Trigger.UNDONE, State.ROLLED_BACK),
              new Transition(State.BOOTED, Trigger.ROLL_BACK, State.ROLLING_BACK),
              new Transition(State.PREPARED, Trigger.ADOPT, State.FAILED),
              new Transition(State.BOOTED, Trigger.ADOPT, State.FAILED),
              GIVEN_UP_BOOTED,
              new Transition(State.PRECOPIED, Trigger.ADOPT, State.FAILED),
              GIVEN_UP_PRECOPIED,
              new Transition(State.PRECOPIED, Trigger.SWITCH, State.SWITCHING),
              new Transition(State.PRECOPIED, Trigger.ROLL_BACK, State.ROLLING_BACK),
              new Transition(State.SWITCHING, Trigger.COMMIT, State.COMMITTED),
              new Transition(State.SWITCHING, Trigger.UNDONE, State.ROLLED_BACK),
              new Transition(State.SWITCHING, Trigger.REHEARSE, State.REHEARSED),
              new Transition(State.SWITCHING, Trigger.GIVE_UP, State.FAILED),
              new Transition(State.SWITCHING, Trigger.ADOPT, State.FAILED),
              new Transition(State.COMMITTED, Trigger.DONE, State.ABSORBED),
              new Transition(State.COMMITTED, Trigger.GIVE_UP, State.FAILED),
              new Transition(State.ABSORBED, Trigger.FINISH, State.COMPLETE),
              new Transition(State.ROLLING_BACK, Trigger.UNDONE, State.ROLLED_BACK),
              new Transition(State.ROLLING_BACK, Trigger.GIVE_UP, State.FAILED),
              new Transition(State.ROLLING_BACK, Trigger.ADOPT, State.FAILED)));

  private Transitions() {}

  /** What only journals have that were written before there was {@link Trigger#ADOPT}. */
  static List<Transition> former() {
    return List.of(GIVEN_UP_BOOTED, GIVEN_UP_PRECOPIED);
  }

  /** The whole table. */
  public static List<Transition> table() {
    return TABLE;
  }

  /** Where the trigger leads, if it may come in that state. */
  public static Optional<State> next(State from, Trigger trigger) {
    return TABLE.stream()
        .filter(transition -> transition.from() == from && transition.trigger() == trigger)
        .map(Transition::to)
        .findFirst();
  }

  /** States that can be reached from that one, itself not counted unless on a cycle. */
  public static Set<State> reachable(State from) {
    return reachable(TABLE, from);
  }

  private static Set<State> reachable(List<Transition> table, State from) {
    var seen = EnumSet.noneOf(State.class);
    var open = new ArrayList<State>(List.of(from));
    while (!open.isEmpty()) {
      State state = open.removeLast();
      for (Transition transition : table) {
        if (transition.from() == state && seen.add(transition.to())) {
          open.add(transition.to());
        }
      }
    }
    return seen;
  }

  /**
   * The table itself, if it keeps the guarantees above.
   *
   * @throws IllegalStateException if not; while the class loads
   */
  static List<Transition> checked(List<Transition> table) {
    Set<State> reached = reachable(table, State.REQUESTED);
    for (State state : State.values()) {
      require(state == State.REQUESTED || reached.contains(state), state + " cannot be reached");
      List<Transition> exits = table.stream().filter(row -> row.from() == state).toList();
      require(
          exits.isEmpty() == state.terminal(),
          state + ": terminal states, and only they, have no exit");
      require(
          exits.stream().map(Transition::trigger).distinct().count() == exits.size(),
          state + ": two targets for one trigger");
      require(
          state.terminal() || reachable(table, state).stream().anyMatch(State::terminal),
          state + " never ends");
    }
    for (Transition row : table) {
      require(
          (row.to() == State.COMMITTED)
              == (row.from() == State.SWITCHING && row.trigger() == Trigger.COMMIT),
          row + ": only the secondary's word in the switch commits");
      require(
          row.from() != State.SWITCHING
              || EnumSet.of(
                      Trigger.COMMIT,
                      Trigger.UNDONE,
                      Trigger.REHEARSE,
                      Trigger.GIVE_UP,
                      Trigger.ADOPT)
                  .contains(row.trigger()),
          row + ": only a broker's word ends the switch");
    }
    for (State state : reachable(table, State.COMMITTED)) {
      require(
          state == State.FAILED || state.owner(Owner.SECONDARY) == Owner.SECONDARY,
          state + ": a commit is final");
    }
    return List.copyOf(table);
  }

  private static void require(boolean holds, String why) {
    if (!holds) {
      throw new IllegalStateException("illegal transition table: " + why);
    }
  }
}
