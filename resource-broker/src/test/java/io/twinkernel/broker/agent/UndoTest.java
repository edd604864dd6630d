package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UndoTest {
  @TempDir Path folder;

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

  @Test
  void isNotCutShortByARollbackThatInterruptsLate() throws IOException {
    Path file = Files.writeString(folder.resolve("bind"), "0000:82:00.0");
    Thread asked = Thread.currentThread();
    var undo = new Undo();
    undo.push("taking the device back", () -> Files.readAllBytes(file));
    undo.push("stopping the other kernel", asked::interrupt);

    assertThat(undo.all()).isEmpty();
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void triesTheOthersWhateverAStepFailsWith() {
    var undo = new Undo();
    var done = new ArrayList<String>();
    undo.push("first", () -> done.add("first"));
    undo.push(
        "second",
        () -> {
          throw new IllegalStateException();
        });

    assertThat(undo.all()).containsExactly("second: java.lang.IllegalStateException");
    assertThat(done).containsExactly("first");
  }
}
