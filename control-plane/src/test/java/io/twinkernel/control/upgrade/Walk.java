package io.twinkernel.control.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.control.upgrade.Transitions.Transition;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Drives the decider from input to input, and holds it to its invariants at each step. */
final class Walk {
  private final List<Entry> journal = new ArrayList<>();
  private final List<Transition> visited = new ArrayList<>();
  private final Entry.Requested first;
  private Upgrade upgrade;
  private long number = 100;
  private long now = 1_795_243_300_000L;

  Walk(@Nullable Verb until) {
    first =
        new Entry.Requested(
            "0123456789abcdef",
            now,
            new UpgradeRequest(
                "demo",
                "/boot/vmlinuz",
                "/boot/initrd",
                List.of(3),
                List.of("0000:82"),
                List.of(),
                false,
                0,
                until));
    upgrade = Upgrade.begin(first);
    feed(new Input.Begin());
  }

  Upgrade upgrade() {
    return upgrade;
  }

  State state() {
    return upgrade.state();
  }

  List<Entry> journal() {
    return List.copyOf(journal);
  }

  List<Transition> visited() {
    return List.copyOf(visited);
  }

  /** What followed. */
  List<Entry> feed(Input input) {
    now += 7;
    List<Entry> entries = Decider.decide(upgrade, input, () -> ++number, now);
    for (Entry entry : entries) {
      Upgrade before = upgrade;
      upgrade = before.apply(entry);
      journal.add(entry);
      hold(before, entry);
    }
    return entries;
  }

  /** What a control plane knows that reads the journal. */
  Upgrade replayed() {
    Upgrade replayed = Upgrade.begin(first);
    for (Entry entry : journal) {
      replayed = replayed.apply(entry);
    }
    return replayed;
  }

  private void hold(Upgrade before, Entry entry) {
    if (entry instanceof Entry.Happened happened) {
      assertThat(happened.event().sequence()).isEqualTo(before.sequence() + 1);
      Trigger trigger = happened.trigger();
      if (trigger == null) {
        assertThat(upgrade.state()).isEqualTo(before.state());
      } else {
        visited.add(new Transition(before.state(), trigger, upgrade.state()));
      }
    } else {
      assertThat(upgrade.state()).isEqualTo(before.state());
      assertThat(upgrade.sequence()).isEqualTo(before.sequence());
    }
    if (before.owner() == Owner.SECONDARY) {
      assertThat(upgrade.owner()).as("a commit is final").isEqualTo(Owner.SECONDARY);
    }
    if (upgrade.owner() == Owner.SECONDARY && before.owner() != Owner.SECONDARY) {
      boolean adopted = upgrade.state() == State.FAILED;
      assertThat(adopted || before.state() == State.SWITCHING)
          .as("only the switch commits, or the primary's panic does")
          .isTrue();
    }
    if (entry instanceof Entry.Commanded command) {
      Set<State> allowed =
          switch (command.verb()) {
            case PLAN -> EnumSet.of(State.REQUESTED);
            case PREPARE -> EnumSet.of(State.PLANNED);
            case BOOT -> EnumSet.of(State.PREPARED);
            case PRECOPY -> EnumSet.of(State.BOOTED);
            case SWITCH -> EnumSet.of(State.SWITCHING);
            case ABSORB -> EnumSet.of(State.COMMITTED);
            case ROLLBACK -> EnumSet.of(State.ROLLING_BACK, State.SWITCHING);
            case STATUS -> EnumSet.complementOf(EnumSet.noneOf(State.class));
          };
      assertThat(allowed).as("when %s may be sent", command.verb()).contains(before.state());
    }
  }

  // --- what brokers say

  long awaited() {
    Upgrade.InFlight command = upgrade.inFlight();
    assertThat(command).as("a command in flight in %s", state()).isNotNull();
    return command == null ? 0 : command.number();
  }

  Walk expect(Verb verb) {
    Upgrade.InFlight command = upgrade.inFlight();
    assertThat(command == null ? null : command.verb()).isEqualTo(verb);
    return this;
  }

  Walk ok() {
    return ok(Map.of());
  }

  Walk ok(Map<String, Object> detail) {
    feed(new Input.Replied(awaited(), detail, null));
    return this;
  }

  Walk fail(String code, boolean undone) {
    feed(
        new Input.Replied(
            awaited(), Map.of(), new Failure(code, "it", "cannot", "try again", undone)));
    return this;
  }

  Walk stage(String stage) {
    Upgrade.Probe probe = upgrade.probe();
    assertThat(probe).as("a probe in %s", state()).isNotNull();
    feed(new Input.Replied(probe == null ? 0 : probe.number(), Map.of("stage", stage), null));
    return this;
  }

  Walk dial(Role role) {
    feed(new Input.Dialled(role, "6.1.0"));
    return this;
  }

  Walk overdue() {
    feed(new Input.Overdue(awaited()));
    return this;
  }

  Walk rollBack() {
    feed(new Input.RollBack());
    return this;
  }

  Walk resumed(Role role) {
    return says(role, Phase.RESUME, Status.DONE, Map.of());
  }

  Walk says(Role role, Phase phase, Status status, Map<String, Object> detail) {
    feed(
        new Input.Said(
            role, "6.12.0", phase, status, 1, BigDecimal.valueOf(now).setScale(3), "said", detail));
    return this;
  }

  /** What comes next goes well. */
  Walk step() {
    return upgrade.state() == State.SWITCHING ? resumed(Role.SECONDARY) : ok();
  }

  Walk to(State state) {
    while (upgrade.state() != state) {
      assertThat(upgrade.state().terminal()).as("on the way to %s", state).isFalse();
      step();
    }
    return this;
  }

  Walk is(State state) {
    assertThat(upgrade.state()).isEqualTo(state);
    return this;
  }
}
