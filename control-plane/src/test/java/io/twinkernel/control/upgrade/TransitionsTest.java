package io.twinkernel.control.upgrade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.control.upgrade.Transitions.Transition;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransitionsTest {
  private static List<Transition> with(Transition... more) {
    var table = new ArrayList<>(Transitions.table());
    table.addAll(List.of(more));
    return table;
  }

  private static List<Transition> without(State from, Trigger trigger) {
    var table = new ArrayList<>(Transitions.table());
    assertThat(table.removeIf(row -> row.from() == from && row.trigger() == trigger)).isTrue();
    return table;
  }

  private static void refused(List<Transition> table, String why) {
    assertThatThrownBy(() -> Transitions.checked(table))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(why);
  }

  @Test
  void theTableItselfIsLegal() {
    assertThat(Transitions.checked(Transitions.table())).isEqualTo(Transitions.table());
  }

  @Test
  void twoTargetsForOneTriggerAreIllegal() {
    refused(
        with(new Transition(State.PLANNED, Trigger.DONE, State.BOOTED)),
        "two targets for one trigger");
  }

  @Test
  void aWayBackFromTheCommitIsIllegal() {
    refused(
        with(new Transition(State.COMMITTED, Trigger.ROLL_BACK, State.ROLLING_BACK)),
        "a commit is final");
    refused(
        with(new Transition(State.ABSORBED, Trigger.UNDONE, State.ROLLED_BACK)),
        "a commit is final");
  }

  @Test
  void aCommitWithoutTheSecondarysWordIsIllegal() {
    refused(
        with(new Transition(State.PRECOPIED, Trigger.DONE, State.COMMITTED)),
        "only the secondary's word");
    refused(
        with(new Transition(State.SWITCHING, Trigger.DONE, State.COMMITTED)),
        "only the secondary's word");
  }

  @Test
  void endingTheSwitchByOneselfIsIllegal() {
    refused(
        with(new Transition(State.SWITCHING, Trigger.ROLL_BACK, State.ROLLING_BACK)),
        "only a broker's word ends the switch");
  }

  @Test
  void anEndWithAnExitIsIllegal() {
    refused(
        with(new Transition(State.COMPLETE, Trigger.DONE, State.FAILED)),
        "terminal states, and only they, have no exit");
  }

  @Test
  void aDeadEndIsIllegal() {
    refused(
        without(State.ABSORBED, Trigger.FINISH),
        "ABSORBED: terminal states, and only they, have no exit");
  }

  @Test
  void aStateThatCannotBeReachedIsIllegal() {
    refused(without(State.REQUESTED, Trigger.REFUSE), "REFUSED cannot be reached");
  }

  @Test
  void statesThatNeverEndAreIllegal() {
    refused(
        List.of(
            new Transition(State.REQUESTED, Trigger.DONE, State.PLANNED),
            new Transition(State.PLANNED, Trigger.DONE, State.REQUESTED)),
        "never ends");
  }
}
