package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the module must refuse of interfaces that are ports, each provoked with an interface of its
 * own in the guest, what those keep and let pass, with clients beyond them, and interfaces that go
 * away while they are one: {@code layers/ports/ports.c}.
 */
@Tag("machine")
final class PortErrorsTest {

  private static final String USERS = "cat /sys/module/twin/refcnt";
  private static final String INTERFACES = "ls /sys/class/net";

  @TempDir Path folder;

  /** About a minute, most of it the node's start. */
  @Test
  void areSaidAndLeaveNothingBehind() throws Exception {
    try (TestNode node = TestNode.startWithLayer(folder, "ports")) {
      String users = node.onA(USERS);
      String interfaces = node.onA(INTERFACES);
      List<String> said = node.onA("/opt/ports/ports").lines().map(String::strip).toList();
      System.out.println(String.join("\n", said));
      assertThat(said).endsWith("end");
      assertThat(said).filteredOn(line -> line.startsWith("bad ")).isEmpty();
      assertThat(said).filteredOn(line -> line.startsWith("ok ")).hasSizeGreaterThan(140);

      assertThat(node.onA(USERS)).isEqualTo(users);
      assertThat(node.onA(INTERFACES)).isEqualTo(interfaces);
      assertThat(node.onA(Splats.COMMAND)).isEmpty();
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
    }
  }
}
