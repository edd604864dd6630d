package io.twinkernel.control.upgrade;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The committed diagram says what the table says; {@code -Dstates.write} writes it anew. */
class StatesDocTest {
  private static final Path DOC = Path.of("STATES.md");

  private static String doc() {
    String arrows =
        Transitions.table().stream()
            .map(row -> "    %s --> %s: %s".formatted(row.from(), row.to(), row.trigger().label()))
            .collect(Collectors.joining("\n"));
    String ends =
        Arrays.stream(State.values())
            .filter(State::terminal)
            .map(state -> "    " + state + " --> [*]")
            .collect(Collectors.joining("\n"));
    String meanings =
        Arrays.stream(State.values())
            .map(
                state ->
                    "| %s | %s | %s |"
                        .formatted(
                            state,
                            state.meaning(),
                            state == State.FAILED
                                ? "as before it failed; secondary, if the primary panicked"
                                : state.owner(Owner.PRIMARY).word()))
            .collect(Collectors.joining("\n"));
    return """
        # States of an upgrade

        Generated from the transition table (`Transitions.java`); a test compares. To write it anew:
        `mvn -pl control-plane test -Dtest=StatesDocTest -Dstates.write=true`

        ```mermaid
        stateDiagram-v2
            [*] --> REQUESTED
        %s
        %s
        ```

        | state | meaning | owner of the service |
        |---|---|---|
        %s
        """
        .formatted(arrows, ends, meanings);
  }

  @Test
  void theCommittedDiagramIsTheTables() throws IOException {
    if (Boolean.getBoolean("states.write")) {
      Files.writeString(DOC, doc());
    }
    assertThat(DOC).hasContent(doc());
  }
}
