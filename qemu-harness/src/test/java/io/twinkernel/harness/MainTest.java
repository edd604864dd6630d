package io.twinkernel.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad options end with code 2 and say what to do, before anything is made. */
final class MainTest {

  @TempDir Path directory;

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(List.of("demo", "--cpus", "1"), "Give --cpus a number from 2"),
        Arguments.of(List.of("demo", "--cpus", "many"), "--cpus"),
        Arguments.of(List.of("demo", "--twin-cpus", "3"), "Give --twin-cpus a number from 1 to 2."),
        Arguments.of(List.of("demo", "--twin-cpus", "-1"), "--twin-cpus -1 is not between"),
        Arguments.of(List.of("demo", "--cpus", "2", "--twin-cpus", "2"), "from 1 to 1."),
        Arguments.of(List.of("demo", "--memory", "512"), "Give --memory a number from 2048"),
        Arguments.of(List.of("demo", "--memory", "1000000"), "Give the machine less by --memory"),
        Arguments.of(List.of("demo", "--megabytes", "9000"), "--megabytes"),
        Arguments.of(List.of("demo", "--connections", "0"), "--connections"),
        Arguments.of(List.of("demo", "--fault", "earthquake"), "twin-hangs, restore-fails"),
        Arguments.of(List.of("demo", "--out", "/dev/null"), "Name a folder"),
        Arguments.of(List.of("demo", "--from", "nonsense"), "6.1"),
        Arguments.of(List.of("demo", "--to", "/dev/zero:/tmp"), "bzImage"),
        Arguments.of(List.of("console", "d"), "console"),
        Arguments.of(List.of("console", "a", "--run", "none"), "./twin demo --keep"),
        Arguments.of(List.of("juggle"), "juggle"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void saysWhatToDo(List<String> arguments, String todo) {
    StringWriter errors = new StringWriter();
    int code = Main.run(new PrintWriter(errors, true), arguments.toArray(new String[0]));
    assertThat(errors.toString()).contains(todo);
    assertThat(code).isEqualTo(2);
  }

  @Test
  void doctorSaysWhatIsHere() {
    StringWriter errors = new StringWriter();
    assertThat(Main.run(new PrintWriter(errors, true), "doctor")).isIn(0, 2);
    assertThat(errors.toString()).isEmpty();
  }

  @Test
  void aRefusedRunLeavesNothing() throws Exception {
    Path out = directory.resolve("out");
    Main.run(
        new PrintWriter(new StringWriter(), true), "demo", "--cpus", "1", "--out", out.toString());
    assertThat(Files.exists(out)).isFalse();
  }
}
