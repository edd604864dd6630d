package io.twinkernel.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.control.journal.Journal;
import io.twinkernel.control.upgrade.Decider;
import io.twinkernel.control.upgrade.Input;
import io.twinkernel.control.upgrade.State;
import io.twinkernel.control.upgrade.UpgradeEvent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What former releases have journalled is still understood, and means the same. */
class HistoriesTest {
  static List<Path> histories() throws IOException {
    return Histories.find(Histories.FOLDER);
  }

  @ParameterizedTest
  @MethodSource("histories")
  void replays(Path file) throws IOException {
    Journal.Contents contents = Journal.read(file).orElseThrow();
    assertThat(file.getFileName().toString()).startsWith(contents.upgrade().state() + "-");
    List<Long> sequence = contents.events().stream().map(UpgradeEvent::sequence).toList();
    for (int i = 0; i < sequence.size(); i++) {
      assertThat(sequence.get(i)).isEqualTo(i + 1);
    }
    assertThat(Decider.decide(contents.upgrade(), new Input.Begin(), () -> 1_000_000, 1))
        .as("reading it does not make anything happen that is under way or over")
        .isEmpty();
  }

  @Test
  void everyWayAnUpgradeCanStandIsAmongThem() throws IOException {
    var states = EnumSet.noneOf(State.class);
    for (Path file : histories()) {
      states.add(Journal.read(file).orElseThrow().upgrade().state());
    }
    assertThat(states)
        .contains(
            State.PLANNED,
            State.SWITCHING,
            State.COMMITTED,
            State.COMPLETE,
            State.ROLLED_BACK,
            State.REFUSED);
  }
}
