package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

final class UndoTest {
  @Test
  void goesBackwardsAndPastWhatFails() {
    var undo = new Undo();
    var done = new ArrayList<String>();
    undo.push("first", () -> done.add("first"));
    undo.push(
        "second",
        () -> {
          throw new IOException("the device is gone");
        });
    undo.push("third", () -> done.add("third"));

    assertThat(undo.all()).containsExactly("second: the device is gone");
    assertThat(done).containsExactly("third", "first");
    assertThat(undo.all()).isEmpty();
  }

  @Test
  void pastTheCommitThereIsNoWayBack() {
    var undo = new Undo();
    var done = new ArrayList<String>();
    undo.push("first", () -> done.add("first"));
    undo.forget();
    assertThat(undo.all()).isEmpty();
    assertThat(done).isEmpty();
  }
}
