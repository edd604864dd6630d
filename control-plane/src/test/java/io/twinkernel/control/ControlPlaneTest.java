package io.twinkernel.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.control.ScriptedBroker.Command;
import io.twinkernel.control.engine.Deadlines;
import io.twinkernel.control.upgrade.Verb;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole upgrades, over the real interfaces. */
class ControlPlaneTest {
  private static final List<String> BEFORE_SWITCH = List.of("plan", "prepare", "boot", "precopy");

  @TempDir Path folder;
  private ControlPlane plane;
  private Rest rest;

  @BeforeEach
  void start() throws IOException {
    start(Deadlines.GENEROUS);
  }

  private void start(Deadlines deadlines) throws IOException {
    plane =
        ControlPlane.start(
            ControlPlaneConfig.local(folder, ScriptedBroker.TOKEN)
                .withPorts(0, 0, 0)
                .withDeadlines(deadlines));
    rest = new Rest(plane.restPort());
  }

  @AfterEach
  void stop(TestInfo test) throws IOException {
    stop();
    Histories.record(folder, test);
  }

  private void stop() throws IOException {
    rest.close();
    plane.close();
  }

  private void restart() throws IOException {
    stop();
    start();
  }

  private ScriptedBroker primary() throws IOException {
    return ScriptedBroker.dial(plane.brokerPort(), "demo", "primary", "6.1.0");
  }

  private ScriptedBroker twin() throws IOException {
    return ScriptedBroker.dial(plane.brokerPort(), "demo", "secondary", "6.12.0");
  }

  /** Obeys up to that verb, and returns it unanswered. */
  private static Command obeyUntil(ScriptedBroker primary, String verb) throws IOException {
    for (String phase : BEFORE_SWITCH) {
      if (phase.equals(verb)) {
        break;
      }
      primary.obey(phase);
    }
    return primary.expect(verb);
  }

  private String upgradeUntilBoot() {
    return rest.upgradeOf(
        Rest.request("demo").replace("{\"node\"", "{\"until\":\"boot\",\"node\""));
  }

  /** The twin of an upgrade in its switch says that it has resumed, and brings it to its end. */
  private void takeOver(ScriptedBroker twin, String upgrade) throws IOException {
    twin.expect("status");
    twin.event(upgrade, "6.12.0", "resume", "done");
    twin.obey("absorb");
    rest.await(upgrade, "COMPLETE");
  }

  /** A twin that won, and is asked for a plan, calls itself primary from then on. */
  private static void planAsPrimary(ScriptedBroker former) throws IOException {
    ScriptedBroker.Command plan = former.expect("plan");
    former.say(ScriptedBroker.hello("demo", "primary", "6.12.0", ScriptedBroker.TOKEN));
    assertThat(former.hear().path("type").asText()).isEqualTo("welcome");
    former.ok(plan, "{}");
  }

  private void gapless(String id) {
    JsonNode events = Rest.json(rest.get("/api/v1/upgrades/" + id + "/events"));
    for (int i = 0; i < events.size(); i++) {
      assertThat(events.path(i).path("sequence").asInt()).isEqualTo(i + 1);
    }
    assertThat(rest.show(id).path("sequence").asInt()).isEqualTo(events.size());
  }

  @Test
  void anUpgradeRunsThroughAllPhases() throws IOException {
    try (var primary = primary()) {
      String id = rest.upgrade("demo");
      var plan = primary.obey("plan");
      assertThat(plan.arguments().toString())
          .isEqualTo(
              """
              {"image":"/boot/twin/6.12/vmlinuz","initrd":"/boot/twin/6.12/initrd","cpus":[3],\
              "buses":["0000:82"],"faults":[],"rehearse":false,"measure_link":0}\
              """);
      assertThat(plan.upgrade()).isEqualTo(id);
      primary.obey("prepare");
      primary.obey("boot");
      primary.obey("precopy");
      primary.expect("switch");
      assertThat(rest.show(id).path("owner").asText()).isEqualTo("undecided");
      try (var twin = twin()) {
        twin.expect("status");
        twin.event(id, "6.1.0", "freeze", "done");
        twin.event(id, "6.12.0", "resume", "done");
        twin.obey("absorb");
        JsonNode done = rest.await(id, "COMPLETE");
        assertThat(done.path("owner").asText()).isEqualTo("secondary");
        assertThat(done.path("kernel").asText()).isEqualTo("6.12.0");
        primary.expectEnd();
      }
      gapless(id);
      String text = rest.get("/api/v1/upgrades/" + id + "/events?after=9").bodyAsString();
      assertThat(text).contains("\"at_ms\":1795243300123.457,");
      JsonNode freeze = Rest.json(rest.get("/api/v1/upgrades/" + id + "/events?after=9")).path(0);
      assertThat(freeze.path("phase").asText()).isEqualTo("freeze");
      assertThat(freeze.path("tsc").asLong()).isEqualTo(42);
      assertThat(freeze.path("detail").path("from").asText()).isEqualTo("script");
    }
  }

  @Test
  void theTwinThatWonTakesTheNextUpgrade() throws IOException {
    try (var primary = primary()) {
      String first = rest.upgrade("demo");
      obeyUntil(primary, "switch");
      try (var twin = twin()) {
        takeOver(twin, first);
        String next = rest.upgrade("demo");
        twin.obey("plan");
        twin.fail(twin.expect("prepare"), "x", true);
        rest.await(next, "ROLLED_BACK");
      }
    }
  }

  /** The same kernel again and again: only what a broker calls itself tells one from the next. */
  @Test
  void aTwinThatWonBecomesThePrimaryOfTheNextUpgrade() throws IOException {
    try (var primary = primary()) {
      String first = rest.upgrade("demo");
      obeyUntil(primary, "switch");
      try (var second = twin()) {
        takeOver(second, first);
        String next = rest.upgrade("demo");
        planAsPrimary(second);
        for (String verb : new String[] {"prepare", "boot", "precopy"}) {
          second.obey(verb);
        }
        second.expect("switch");
        try (var third = twin()) {
          takeOver(third, next);
        }
        second.expectEnd();
      }
    }
  }

  /** It was a twin itself, and the kernels are the same: only that it calls itself so tells. */
  @Test
  void aTwinOutlivesAPrimaryThatWasATwin() throws IOException {
    try (var primary = primary()) {
      String first = rest.upgrade("demo");
      obeyUntil(primary, "switch");
      try (var second = twin()) {
        takeOver(second, first);
        String next = upgradeUntilBoot();
        planAsPrimary(second);
        second.obey("prepare");
        second.obey("boot");
        rest.await(next, "BOOTED");
        try (var third = twin()) {
          third.event(next, "6.12.0", "rollback", "failed");
          assertThat(rest.await(next, "FAILED").path("owner").asText()).isEqualTo("secondary");
          second.expectEnd();
        }
      }
    }
  }

  /** Nobody closes the connection of a kernel that panics: it looks as if it were still there. */
  @Test
  void theTwinThatOutlivedThePrimaryTakesTheNextUpgrade() throws IOException {
    try (var primary = primary()) {
      String first = upgradeUntilBoot();
      primary.obey("plan");
      primary.obey("prepare");
      primary.obey("boot");
      rest.await(first, "BOOTED");
      try (var twin = twin()) {
        twin.event(first, "6.12.0", "rollback", "failed");
        JsonNode end = rest.await(first, "FAILED");
        assertThat(end.path("failure").path("code").asText()).isEqualTo("primary-panicked");
        assertThat(end.path("owner").asText()).isEqualTo("secondary");
        primary.expectEnd();
        restart();
      }
      try (var twin = twin()) {
        String next = rest.upgrade("demo");
        twin.obey("plan");
        twin.fail(twin.expect("prepare"), "x", true);
        rest.await(next, "ROLLED_BACK");
      }
    }
  }

  @Test
  void whatThePlanRefusesIsRefusedWithTheReason() throws IOException {
    try (var primary = primary()) {
      String id = rest.upgrade("demo");
      primary.fail(primary.expect("plan"), "crash-region-too-small", true);
      JsonNode failure = rest.await(id, "REFUSED").path("failure");
      assertThat(failure.path("code").asText()).isEqualTo("crash-region-too-small");
      assertThat(failure.path("todo").asText()).isEqualTo("try again");
    }
  }

  @Test
  void aPhaseThatFailsIsRolledBack() throws IOException {
    try (var primary = primary()) {
      String id = rest.upgrade("demo");
      primary.fail(obeyUntil(primary, "boot"), "twin-hangs", false);
      primary.obey("rollback");
      JsonNode end = rest.await(id, "ROLLED_BACK");
      assertThat(end.path("failure").path("code").asText()).isEqualTo("twin-hangs");
      assertThat(end.path("owner").asText()).isEqualTo("primary");
      gapless(id);
    }
  }

  @Test
  void aSwitchThatThePrimaryUndidIsRolledBack() throws IOException {
    try (var primary = primary()) {
      String id = rest.upgrade("demo");
      primary.fail(obeyUntil(primary, "switch"), "restore-failed", true);
      rest.await(id, "ROLLED_BACK");
    }
  }

  @Test
  void itWaitsWhereItIsAskedTo() throws IOException {
    try (var primary = primary()) {
      String id = upgradeUntilBoot();
      primary.obey("plan");
      primary.obey("prepare");
      primary.obey("boot");
      assertThat(rest.await(id, "BOOTED").path("waiting").asBoolean()).isTrue();
      String path = "/api/v1/upgrades/" + id + "/continue";
      assertThat(rest.post(path, "{\"until\":\"plan\"}").statusCode()).isEqualTo(400);
      assertThat(rest.post(path, "{\"until\":\"precopy\"}").statusCode()).isEqualTo(200);
      primary.obey("precopy");
      assertThat(rest.await(id, "PRECOPIED").path("waiting").asBoolean()).isTrue();
      restart();
      try (var again = primary()) {
        assertThat(rest.show(id).path("waiting").asBoolean()).as("after a restart").isTrue();
        assertThat(rest.post(path, "{}").statusCode()).isEqualTo(200);
        again.expect("switch");
        assertThat(rest.post(path, "{}").statusCode()).isEqualTo(409);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plan", "prepare", "boot", "precopy"})
  void anOperatorRollsBackInAnyPhaseBeforeTheSwitch(String phase) throws IOException {
    try (var primary = primary()) {
      String id = rest.upgrade("demo");
      Command running = obeyUntil(primary, phase);
      assertThat(rest.post("/api/v1/upgrades/" + id + "/rollback", "").statusCode()).isEqualTo(202);
      Command rollback = primary.expect("rollback");
      primary.fail(running, "interrupted", true);
      primary.ok(rollback, "{}");
      rest.await(id, "ROLLED_BACK");
      assertThat(rest.post("/api/v1/upgrades/" + id + "/rollback", "").statusCode()).isEqualTo(409);
    }
  }

  @Test
  void afterTheCommitThereIsNoWayBack() throws IOException {
    try (var primary = primary()) {
      String id = rest.upgrade("demo");
      obeyUntil(primary, "switch");
      try (var twin = twin()) {
        twin.expect("status");
        twin.event(id, "6.12.0", "resume", "done");
        twin.expect("absorb");
        JsonNode refusal = Rest.json(rest.post("/api/v1/upgrades/" + id + "/rollback", ""));
        assertThat(refusal.path("code").asText()).isEqualTo("committed");
      }
    }
  }

  @Test
  void nodesAreUpgradedInParallelButEachOnlyOnce() throws IOException {
    try (var one = ScriptedBroker.dial(plane.brokerPort(), "one", "primary", "k");
        var two = ScriptedBroker.dial(plane.brokerPort(), "two", "primary", "k")) {
      rest.upgrade("one");
      Command first = one.expect("plan");
      rest.upgrade("two");
      two.obey("plan");
      two.expect("prepare");
      var refused = rest.post("/api/v1/upgrades", Rest.request("one"));
      assertThat(refused.statusCode()).isEqualTo(409);
      assertThat(Rest.json(refused).path("code").asText()).isEqualTo("upgrade-under-way");
      one.ok(first, "{}");
      one.expect("prepare");
    }
  }

  @Test
  void aBrokerThatComesBackInTimeGoesOn() throws IOException {
    String id;
    Command boot;
    try (var primary = primary()) {
      id = rest.upgrade("demo");
      boot = obeyUntil(primary, "boot");
    }
    try (var primary = primary()) {
      primary.ok(primary.expect("status"), "{\"stage\":\"Prepared\"}");
      Command again = primary.expect("boot");
      assertThat(again).isEqualTo(boot);
      primary.ok(again, "{\"kernel\":\"6.12.0\"}");
      primary.expect("precopy");
      gapless(id);
    }
  }

  @Test
  void aBrokerThatStaysAwayIsRolledBackAfterTheDeadline() throws IOException {
    stop();
    start(new Deadlines(Map.of(Verb.BOOT, Duration.ofMillis(300)), 1));
    String id;
    try (var primary = primary()) {
      id = rest.upgrade("demo");
      obeyUntil(primary, "boot");
    }
    rest.await(id, "ROLLING_BACK");
    try (var primary = primary()) {
      primary.obey("rollback");
      JsonNode end = rest.await(id, "ROLLED_BACK");
      assertThat(end.path("failure").path("code").asText()).isEqualTo("deadline-passed");
    }
  }

  @Test
  void inTheSwitchItWaitsForABrokersWordHoweverLate() throws IOException {
    stop();
    start(new Deadlines(Map.of(Verb.SWITCH, Duration.ofMillis(100)), 1));
    try (var primary = primary()) {
      String id = rest.upgrade("demo");
      Command hand = obeyUntil(primary, "switch");
      // switch started, then the event that tells of the passed deadline.
      JsonNode events = Rest.json(rest.get("/api/v1/upgrades/" + id + "/events"));
      long last = events.path(events.size() - 1).path("sequence").asLong();
      if (!events.path(events.size() - 1).path("message").asText().contains("no word")) {
        JsonNode late =
            Rest.json(rest.get("/api/v1/upgrades/" + id + "/events?wait_ms=20000&after=" + last));
        assertThat(late.path(0).path("message").asText()).contains("no word");
      }
      assertThat(rest.show(id).path("state").asText()).isEqualTo("SWITCHING");
      primary.fail(hand, "restore-failed", true);
      rest.await(id, "ROLLED_BACK");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plan", "prepare", "boot", "precopy"})
  void restartedBeforeTheSwitchItGoesOn(String phase) throws IOException {
    String id;
    Command running;
    try (var primary = primary()) {
      id = rest.upgrade("demo");
      running = obeyUntil(primary, phase);
    }
    JsonNode before = rest.show(id);
    restart();
    assertThat(rest.show(id).path("state")).isEqualTo(before.path("state"));
    try (var primary = primary()) {
      if (!phase.equals("plan")) {
        // The broker has finished the phase meanwhile, and its answer was lost.
        String stage =
            Map.of("prepare", "Prepared", "boot", "Booted").getOrDefault(phase, "Copied");
        primary.ok(primary.expect("status"), "{\"stage\":\"" + stage + "\"}");
      } else {
        Command again = primary.expect("plan");
        assertThat(again).isEqualTo(running);
        primary.ok(again, "{}");
      }
      int next = BEFORE_SWITCH.indexOf(phase) + 1;
      primary.expect(next < BEFORE_SWITCH.size() ? BEFORE_SWITCH.get(next) : "switch");
      gapless(id);
    }
  }

  @Test
  void restartedInTheSwitchItTakesTheTwinsWord() throws IOException {
    String id;
    try (var primary = primary()) {
      id = rest.upgrade("demo");
      obeyUntil(primary, "switch");
      restart();
      assertThat(rest.show(id).path("state").asText()).isEqualTo("SWITCHING");
    }
    try (var twin = twin()) {
      twin.expect("status");
      twin.event(id, "6.12.0", "resume", "done");
      twin.expect("absorb");
      restart();
    }
    try (var twin = twin()) {
      twin.ok(twin.expect("status"), "{\"stage\":\"Committed\"}");
      twin.obey("absorb");
      rest.await(id, "COMPLETE");
      gapless(id);
    }
  }

  @Test
  void aTwinWhoseWordWasLostIsAskedForIt() throws IOException {
    try (var primary = primary()) {
      String id = rest.upgrade("demo");
      obeyUntil(primary, "switch");
      try (var twin = twin()) {
        twin.ok(twin.expect("status"), "{\"stage\":\"Committed\"}");
        twin.obey("absorb");
        rest.await(id, "COMPLETE");
      }
    }
  }

  @Test
  void restartedInTheSwitchItTakesThePrimarysWord() throws IOException {
    String id;
    try (var primary = primary()) {
      id = rest.upgrade("demo");
      Command hand = obeyUntil(primary, "switch");
      restart();
      try (var back = primary()) {
        back.expect("status");
        back.fail(hand, "restore-failed", true);
        rest.await(id, "ROLLED_BACK");
      }
    }
    restart();
    assertThat(rest.show(id).path("state").asText()).isEqualTo("ROLLED_BACK");
  }

  @Test
  void restartedWhileRollingBackItRollsBack() throws IOException {
    String id;
    try (var primary = primary()) {
      id = rest.upgrade("demo");
      primary.fail(obeyUntil(primary, "precopy"), "x", false);
      primary.expect("rollback");
      restart();
    }
    try (var primary = primary()) {
      primary.obey("rollback");
      rest.await(id, "ROLLED_BACK");
      gapless(id);
    }
  }

  @Test
  void aBrokerThatLostItsPlaceIsRolledBack() throws IOException {
    String id;
    try (var primary = primary()) {
      id = rest.upgrade("demo");
      obeyUntil(primary, "precopy");
    }
    try (var primary = primary()) {
      primary.ok(primary.expect("status"), "{\"stage\":\"Idle\"}");
      primary.obey("rollback");
      JsonNode end = rest.await(id, "ROLLED_BACK");
      assertThat(end.path("failure").path("code").asText()).isEqualTo("broker-restarted");
    }
  }
}
