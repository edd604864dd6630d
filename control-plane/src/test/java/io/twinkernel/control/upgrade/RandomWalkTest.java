package io.twinkernel.control.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Random walks from fixed seeds; a failure names the seed. {@link Walk} holds the invariants. */
class RandomWalkTest {
  private static final int WALKS = 5_000;
  private static final int STEPS = 80;
  private static final List<Verb> PHASES = List.of(Verb.PLAN, Verb.BOOT, Verb.SWITCH, Verb.ABSORB);

  @Test
  void whateverComesInTheInvariantsHold() {
    for (int seed = 0; seed < WALKS; seed++) {
      var random = new Random(seed);
      Walk walk =
          new Walk(random.nextInt(4) == 0 ? PHASES.get(random.nextInt(PHASES.size())) : null);
      for (int step = 0; step < STEPS; step++) {
        try {
          walk.feed(anything(random, walk.upgrade()));
        } catch (RuntimeException | AssertionError e) {
          throw new AssertionError("seed " + seed + ", step " + step + ", " + walk.journal(), e);
        }
      }
      assertThat(walk.replayed()).as("seed %d: after a restart", seed).isEqualTo(walk.upgrade());
    }
  }

  private static Input anything(Random random, Upgrade upgrade) {
    Upgrade.InFlight command = upgrade.inFlight();
    Upgrade.Probe probe = upgrade.probe();
    long number =
        switch (random.nextInt(5)) {
          case 0 -> random.nextLong(200);
          case 1 -> probe == null ? 0 : probe.number();
          default -> command == null ? 0 : command.number();
        };
    return switch (random.nextInt(10)) {
      case 0 -> new Input.Begin();
      case 1 -> new Input.Continue(random.nextBoolean() ? null : Verb.BOOT);
      case 2 -> random.nextInt(4) == 0 ? new Input.RollBack() : new Input.Begin();
      case 3 -> new Input.Dialled(pick(random, Role.values()), "k");
      case 4 -> new Input.Lost(pick(random, Role.values()));
      case 5 ->
          new Input.Said(
              pick(random, Role.values()),
              "k",
              pick(random, Phase.values()),
              pick(random, Status.values()),
              random.nextLong(),
              BigDecimal.ONE,
              "m",
              Map.of("x", 1));
      case 6 -> new Input.Overdue(random.nextInt(3) == 0 ? number : 0);
      default ->
          new Input.Replied(
              number,
              Map.of(
                  "stage",
                  pick(
                      random,
                      "Idle",
                      "Planned",
                      "Prepared",
                      "Booted",
                      "Copied",
                      "Left",
                      "Committed",
                      "Absorbed",
                      "?"),
                  "rehearsed",
                  random.nextInt(20) == 0),
              random.nextInt(5) == 0
                  ? new Failure(
                      pick(random, "wrong-stage", "committed", "x"),
                      "w",
                      "y",
                      "t",
                      random.nextBoolean())
                  : null);
    };
  }

  /**
   * A machine whose brokers tell the truth, over connections that lose lines, and a control plane
   * that crashes: in the end what the control plane believes is what is so.
   */
  @Test
  void withHonestBrokersTheControlPlaneNeverErrsAboutTheOwner() {
    int complete = 0;
    int back = 0;
    int rehearsed = 0;
    for (int seed = 0; seed < WALKS; seed++) {
      var random = new Random(seed);
      Walk walk = new Walk(null);
      var machine = new Machine(random);
      try {
        machine.run(walk);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ", " + walk.journal(), e);
      }
      assertThat(walk.state().terminal()).as("seed %d ends: %s", seed, walk.upgrade()).isTrue();
      if (walk.state() != State.FAILED) {
        assertThat(walk.upgrade().owner())
            .as("seed %d: %s", seed, walk.journal())
            .isEqualTo(machine.committed ? Owner.SECONDARY : Owner.PRIMARY);
      }
      complete += walk.state() == State.COMPLETE ? 1 : 0;
      back += walk.state() == State.ROLLED_BACK ? 1 : 0;
      rehearsed += walk.state() == State.REHEARSED ? 1 : 0;
    }
    assertThat(complete).as("walks that get through").isGreaterThan(WALKS / 10);
    assertThat(back).as("walks that are rolled back").isGreaterThan(WALKS / 10);
    assertThat(rehearsed).as("walks that are rehearsals").isGreaterThan(WALKS / 50);
  }

  /**
   * The brokers of one machine, with stages as a real one has, deciding the switch by themselves.
   */
  private static final class Machine {
    private static final List<String> STAGES =
        List.of("Idle", "Planned", "Prepared", "Booted", "Copied", "Left");

    private final Random random;
    private final ArrayDeque<Entry.Commanded> wire = new ArrayDeque<>();
    private String stage = "Idle";
    private boolean absorbed;
    private boolean committed;
    private boolean told;
    private boolean rehearsed;

    Machine(Random random) {
      this.random = random;
    }

    void run(Walk walk) {
      walk.journal().forEach(this::send);
      for (int step = 0; step < 400 && !walk.state().terminal(); step++) {
        // At first everything goes wrong now and then; later the network is well, so that it ends.
        boolean trouble = step < 40;
        int dice = random.nextInt(trouble ? 12 : 4);
        if (dice == 4) {
          wire.poll();
        } else if (dice == 5) {
          feed(walk, new Input.RollBack(), 15);
        } else if (dice == 6) {
          assertThat(walk.replayed()).isEqualTo(walk.upgrade());
          wire.clear();
          feed(walk, new Input.Begin(), 1);
          redial(walk);
        } else if (dice == 7) {
          redial(walk);
        } else if (dice == 8 && walk.upgrade().inFlight() != null) {
          feed(walk, new Input.Overdue(walk.awaited()), 10);
        } else if (!wire.isEmpty()) {
          obey(walk, wire.removeFirst(), trouble);
        } else if (committed && !told) {
          say(walk, trouble);
        } else {
          redial(walk);
        }
      }
    }

    /** Once in so many times. */
    private void feed(Walk walk, Input input, int times) {
      if (random.nextInt(times) == 0) {
        walk.feed(input).forEach(this::send);
      }
    }

    private void send(Entry entry) {
      if (entry instanceof Entry.Commanded command) {
        wire.add(command);
      }
    }

    private void redial(Walk walk) {
      walk.feed(new Input.Dialled(committed ? Role.SECONDARY : Role.PRIMARY, "k"))
          .forEach(this::send);
    }

    /** Once, and perhaps in vain. */
    private void say(Walk walk, boolean trouble) {
      told = true;
      if (trouble && random.nextBoolean()) {
        return;
      }
      int before = walk.journal().size();
      walk.resumed(Role.SECONDARY);
      walk.journal().subList(before, walk.journal().size()).forEach(this::send);
    }

    private void obey(Walk walk, Entry.Commanded command, boolean trouble) {
      if (committed != (command.to() == Role.SECONDARY)) {
        return; // That broker has no network.
      }
      Failure failure = carryOut(command);
      Map<String, Object> detail =
          command.verb() == Verb.STATUS
              ? Map.of("stage", committed ? (absorbed ? "Absorbed" : "Committed") : stage)
              : Map.of("rehearsed", command.verb() == Verb.SWITCH && rehearsed);
      boolean muted = committed && command.verb() == Verb.SWITCH;
      boolean lost = trouble && random.nextInt(6) == 0;
      if (!muted && !lost) {
        walk.feed(new Input.Replied(command.number(), detail, failure)).forEach(this::send);
      }
    }

    private @Nullable Failure carryOut(Entry.Commanded command) {
      Verb verb = command.verb();
      return switch (verb) {
        case STATUS -> null;
        case ROLLBACK -> {
          stage = "Idle";
          yield null;
        }
        case ABSORB -> {
          absorbed = true;
          yield null;
        }
        case PLAN, PREPARE, BOOT, PRECOPY, SWITCH -> {
          boolean replan = verb == Verb.PLAN && stage.equals("Planned");
          if (!stage.equals(verb.stageBefore()) && !replan) {
            yield new Failure("wrong-stage", "w", "y", "t", true);
          }
          if (random.nextInt(12) == 0) {
            stage = "Idle";
            yield new Failure("x", "w", "y", "t", true);
          }
          if (verb == Verb.SWITCH && random.nextInt(4) == 0) {
            stage = "Idle";
            rehearsed = true;
            yield null;
          }
          stage = STAGES.get(STAGES.indexOf(verb.stageBefore()) + 1);
          committed = verb == Verb.SWITCH;
          yield null;
        }
      };
    }
  }

  @SafeVarargs
  private static <T> T pick(Random random, T... choices) {
    return choices[random.nextInt(choices.length)];
  }
}
