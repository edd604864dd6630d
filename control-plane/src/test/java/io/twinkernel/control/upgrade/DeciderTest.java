package io.twinkernel.control.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each scenario is a way through the table; together they have to visit all of it. */
class DeciderTest {
  private static final Map<String, Supplier<Walk>> SCENARIOS = scenarios();

  private static Walk start() {
    return new Walk(null);
  }

  private static Walk at(State state) {
    return start().to(state);
  }

  private static Map<String, Supplier<Walk>> scenarios() {
    var all = new LinkedHashMap<String, Supplier<Walk>>();
    all.put("all goes well", () -> start().to(State.COMPLETE));
    all.put("the plan fails", () -> start().fail("no-crash-region", true).is(State.REFUSED));
    all.put(
        "the plan comes with refusals",
        () -> {
          Walk walk =
              start()
                  .ok(
                      Map.of(
                          "refusals",
                          List.of(Map.of("code", "cpu-unknown", "what", "cpu 9", "why", "no"))));
          assertThat(walk.is(State.REFUSED).upgrade().failure())
              .isEqualTo(new Failure("cpu-unknown", "cpu 9", "no", ""));
          return walk;
        });
    all.put(
        "something is left of a forgotten upgrade",
        () -> start().fail("wrong-stage", true).is(State.ROLLING_BACK).ok().is(State.ROLLED_BACK));
    all.put("the plan is never answered", () -> start().overdue().is(State.REFUSED));
    all.put(
        "an operator rolls back while it is planned",
        () -> start().rollBack().is(State.ROLLING_BACK).ok().is(State.ROLLED_BACK));
    for (State state : List.of(State.PLANNED, State.PREPARED, State.BOOTED)) {
      String phase = state.name();
      all.put(
          phase + ": what follows fails and is undone",
          () -> at(state).fail("x", true).is(State.ROLLED_BACK));
      all.put(
          phase + ": what follows fails and is not undone",
          () -> at(state).fail("x", false).is(State.ROLLING_BACK).expect(Verb.ROLLBACK).ok());
      all.put(
          phase + ": what follows is late",
          () -> at(state).overdue().is(State.ROLLING_BACK).ok().is(State.ROLLED_BACK));
      all.put(
          phase + ": an operator rolls back",
          () -> at(state).rollBack().is(State.ROLLING_BACK).ok().is(State.ROLLED_BACK));
      all.put(
          phase + ": the broker is at the wrong stage",
          () -> at(state).fail("wrong-stage", true).is(State.ROLLING_BACK).ok());
      all.put(
          phase + ": the broker dials in anew and has lost its place",
          () -> at(state).dial(Role.PRIMARY).stage("Gone").is(State.ROLLING_BACK).ok());
    }
    all.put(
        "the twin dies while an operator thinks",
        () -> {
          Walk walk = new Walk(Verb.BOOT).to(State.BOOTED);
          Map<String, Object> detail = Map.of("cause", Map.of("why", "it panicked"));
          walk.says(Role.PRIMARY, Phase.ROLLBACK, Status.DONE, detail).is(State.ROLLING_BACK);
          assertThat(walk.expect(Verb.ROLLBACK).upgrade().failure())
              .extracting(Failure::code, Failure::why)
              .containsExactly("twin-died", "it panicked");
          return walk.ok().is(State.ROLLED_BACK);
        });
    for (State state : List.of(State.PREPARED, State.BOOTED, State.PRECOPIED, State.SWITCHING)) {
      all.put(
          state.name() + ": the primary panics",
          () -> {
            Walk walk = new Walk(state == State.PRECOPIED ? Verb.PRECOPY : null).to(state);
            walk.says(Role.SECONDARY, Phase.ROLLBACK, Status.FAILED, Map.of()).is(State.FAILED);
            assertThat(walk.upgrade().failure())
                .extracting(Failure::code)
                .isEqualTo("primary-panicked");
            assertThat(walk.upgrade().owner()).isEqualTo(Owner.SECONDARY);
            return walk;
          });
    }
    all.put(
        "the primary panics while it rolls back",
        () -> {
          Walk walk = at(State.BOOTED).rollBack().is(State.ROLLING_BACK);
          walk.says(Role.SECONDARY, Phase.ROLLBACK, Status.FAILED, Map.of()).is(State.FAILED);
          assertThat(walk.upgrade().owner()).isEqualTo(Owner.SECONDARY);
          return walk;
        });
    all.put(
        "an operator rolls back before the switch",
        () -> {
          Walk walk = new Walk(Verb.PRECOPY).to(State.PRECOPIED);
          assertThat(walk.upgrade().held()).isTrue();
          return walk.rollBack().is(State.ROLLING_BACK).ok().is(State.ROLLED_BACK);
        });
    all.put(
        "the switch is rehearsed",
        () ->
            at(State.SWITCHING)
                .ok(Map.of("rehearsed", true, "estimated_gap_ms", 180.4, "stopped_ms", 260.2))
                .is(State.REHEARSED));
    all.put(
        "the switch fails and is undone",
        () -> at(State.SWITCHING).fail("restore-failed", true).is(State.ROLLED_BACK));
    all.put(
        "the switch fails and is not undone at first",
        () ->
            at(State.SWITCHING)
                .fail("restore-failed", false)
                .is(State.SWITCHING)
                .expect(Verb.ROLLBACK)
                .ok()
                .is(State.ROLLED_BACK));
    all.put(
        "the switch fails and cannot be undone",
        () ->
            at(State.SWITCHING)
                .fail("restore-failed", false)
                .fail("rollback-incomplete", false)
                .is(State.FAILED));
    all.put(
        "a rollback cannot be finished",
        () -> at(State.BOOTED).rollBack().fail("x", false).is(State.FAILED));
    all.put("a rollback is late", () -> at(State.BOOTED).rollBack().overdue().is(State.FAILED));
    all.put("absorbing fails", () -> at(State.COMMITTED).fail("no-memory", false).is(State.FAILED));
    all.put("absorbing is late", () -> at(State.COMMITTED).overdue().is(State.FAILED));
    return all;
  }

  @TestFactory
  Stream<DynamicTest> scenario() {
    return SCENARIOS.entrySet().stream()
        .map(
            entry ->
                DynamicTest.dynamicTest(
                    entry.getKey(),
                    () -> {
                      Walk walk = entry.getValue().get();
                      assertThat(walk.upgrade().state().terminal()).isTrue();
                      assertThat(walk.replayed()).isEqualTo(walk.upgrade());
                    }));
  }

  @Test
  void theScenariosVisitEveryTransition() {
    var visited = new LinkedHashSet<Transitions.Transition>();
    SCENARIOS.values().forEach(scenario -> visited.addAll(scenario.get().visited()));
    visited.addAll(Transitions.former());
    assertThat(visited).containsExactlyInAnyOrderElementsOf(Transitions.table());
  }

  @Test
  void onlyTheSecondarysWordCommits() {
    at(State.SWITCHING).resumed(Role.PRIMARY).is(State.SWITCHING);
    at(State.SWITCHING).ok(Map.of("committed", true)).is(State.SWITCHING);
    at(State.SWITCHING).resumed(Role.SECONDARY).is(State.COMMITTED);
  }

  @Test
  void aCommitThatCannotBeIsToldButChangesNothing() {
    Walk walk = at(State.BOOTED).resumed(Role.SECONDARY).is(State.BOOTED);
    assertThat(walk.journal().getLast())
        .isInstanceOfSatisfying(
            Entry.Happened.class,
            last -> assertThat(last.event().status()).isEqualTo(Status.FAILED));
    at(State.SWITCHING).fail("x", true).resumed(Role.SECONDARY).is(State.ROLLED_BACK);
  }

  @Test
  void inTheSwitchAPassedDeadlineDecidesNothing() {
    at(State.SWITCHING)
        .overdue()
        .is(State.SWITCHING)
        .overdue()
        .is(State.SWITCHING)
        .resumed(Role.SECONDARY)
        .is(State.COMMITTED);
  }

  @Test
  void inTheSwitchAnOperatorsRollbackIsOnlyAskedFor() {
    Walk committed = at(State.SWITCHING).rollBack().is(State.SWITCHING).expect(Verb.ROLLBACK);
    committed.fail("committed", true).is(State.SWITCHING);
    committed.resumed(Role.SECONDARY).is(State.COMMITTED);
    at(State.SWITCHING).rollBack().resumed(Role.SECONDARY).is(State.COMMITTED);
    at(State.SWITCHING).rollBack().ok().is(State.ROLLED_BACK);
  }

  @Test
  void inTheSwitchWrongStageIsNoEvidence() {
    at(State.SWITCHING).fail("wrong-stage", true).is(State.SWITCHING);
  }

  @Test
  void aPrimaryThatDialsInAgainIsAskedWhereItStands() {
    Walk before = at(State.PREPARED);
    long number = before.awaited();
    before.dial(Role.PRIMARY);
    assertThat(before.awaited()).isEqualTo(number);
    before.stage("Prepared").expect(Verb.BOOT);
    assertThat(before.awaited()).as("sent again as the same command").isEqualTo(number);
    at(State.PREPARED).dial(Role.PRIMARY).stage("Booted").is(State.BOOTED).expect(Verb.PRECOPY);
  }

  @Test
  void inTheSwitchAPrimaryThatDialsInAgainIsAskedWhereItStands() {
    at(State.SWITCHING).dial(Role.PRIMARY).stage("Left").is(State.SWITCHING);
    at(State.SWITCHING).dial(Role.PRIMARY).stage("Copied").is(State.SWITCHING).expect(Verb.SWITCH);
    at(State.SWITCHING)
        .dial(Role.PRIMARY)
        .stage("Idle")
        .is(State.SWITCHING)
        .expect(Verb.ROLLBACK)
        .ok()
        .is(State.ROLLED_BACK);
  }

  @Test
  void aSecondaryThatDialsInAgainIsAskedWhereItStands() {
    at(State.COMMITTED).dial(Role.SECONDARY).stage("Absorbed").is(State.COMPLETE);
    at(State.COMMITTED).dial(Role.SECONDARY).stage("Committed").expect(Verb.ABSORB).ok();
  }

  @Test
  void whatHarmsNothingWhenRepeatedIsSentAgainAtOnce() {
    Walk plan = start();
    assertThat(plan.feed(new Input.Dialled(Role.PRIMARY, "6.1.0")))
        .singleElement()
        .isInstanceOfSatisfying(
            Entry.Commanded.class, sent -> assertThat(sent.verb()).isEqualTo(Verb.PLAN));
    Walk back = at(State.BOOTED).rollBack();
    assertThat(back.feed(new Input.Dialled(Role.PRIMARY, "6.1.0")))
        .singleElement()
        .isInstanceOfSatisfying(
            Entry.Commanded.class, sent -> assertThat(sent.verb()).isEqualTo(Verb.ROLLBACK));
  }

  @Test
  void inTheSwitchASecondaryThatDialsInIsAskedInCaseItsEventWasLost() {
    at(State.SWITCHING).dial(Role.SECONDARY).stage("Committed").is(State.COMMITTED);
    at(State.SWITCHING).dial(Role.SECONDARY).stage("Booting").is(State.SWITCHING);
    at(State.SWITCHING).rollBack().dial(Role.SECONDARY).stage("Absorbed").is(State.COMMITTED);
    at(State.SWITCHING).dial(Role.PRIMARY).stage("Committed").is(State.SWITCHING);
  }

  @Test
  void aStaleAnswerIsNoAnswer() {
    Walk walk = at(State.PREPARED);
    assertThat(walk.feed(new Input.Replied(walk.awaited() - 1, Map.of(), null))).isEmpty();
    assertThat(walk.feed(new Input.Overdue(walk.awaited() - 1))).isEmpty();
  }

  @Test
  void waitsAfterEachPhaseUntilContinued() {
    for (Verb until : List.of(Verb.PLAN, Verb.BOOT, Verb.PRECOPY, Verb.SWITCH, Verb.ABSORB)) {
      Walk walk = new Walk(until);
      while (!walk.upgrade().held()) {
        walk.step();
      }
      assertThat(walk.upgrade().inFlight()).isNull();
      assertThat(walk.feed(new Input.Begin())).as("a restart does not continue").isEmpty();
      walk.feed(new Input.Continue(null));
      walk.to(State.COMPLETE);
    }
  }

  @Test
  void theNewKernelAndTheFirstFailureAreRemembered() {
    Walk walk = start().ok(Map.of("to", "6.12.0")).ok().ok(Map.of("kernel", "6.12.1"));
    assertThat(walk.upgrade().kernel()).isEqualTo("6.12.1");
    walk.fail("first", false).fail("second", false).is(State.FAILED);
    assertThat(walk.upgrade().failure()).extracting(Failure::code).isEqualTo("first");
  }
}
