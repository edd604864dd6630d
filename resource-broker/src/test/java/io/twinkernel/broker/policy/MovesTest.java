package io.twinkernel.broker.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class MovesTest {
  private static final int BROKER = 100;

  /** It waits for the broker's end, in the kernel that the processes leave. */
  @Test
  void neitherTheBrokerNorItsGuardMovesWhateverThePolicySays() throws Exception {
    Policy policy = Policy.parse("move process java");
    Moves moves =
        Moves.of(
            policy,
            List.of(
                process(BROKER, 1, "/opt/twin/java"),
                process(101, BROKER, "/opt/twin/java"),
                process(102, BROKER, "/usr/bin/java"),
                process(5000, 1, "/opt/twin/java")),
            BROKER);
    assertThat(moves.moving()).extracting(ProcessFacts::pid).containsExactlyInAnyOrder(102, 5000);
  }

  private static ProcessFacts process(int pid, int parent, String executable) {
    return new ProcessFacts(
        pid,
        parent,
        "java",
        pid,
        pid,
        false,
        "service",
        executable,
        0,
        "ipc:[1]",
        Map.of(),
        pid,
        List.of(pid));
  }
}
