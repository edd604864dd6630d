package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the module must refuse, each provoked in the guest, and what it does and tells: of
 * interfaces that are ports, of which some go away meanwhile ({@code layers/module/ports.c}), and
 * of the threads of stopped processes, beside what their tracer reads ({@code threads.c}).
 */
@Tag("machine")
final class ModuleCallsTest {

  private static final String USERS = "cat /sys/module/twin/refcnt";
  private static final String INTERFACES = "ls /sys/class/net";

  @TempDir Path folder;

  /** About a minute, most of it the node's start. */
  @Test
  void areRefusedOrRightAndLeaveNothingBehind() throws Exception {
    try (TestNode node = TestNode.startWithLayer(folder, "module")) {
      String users = node.onA(USERS);
      String interfaces = node.onA(INTERFACES);
      check(node, "/opt/module/ports", 140);
      check(node, "/opt/module/threads", 55);

      assertThat(node.onA(USERS)).isEqualTo(users);
      assertThat(node.onA(INTERFACES)).isEqualTo(interfaces);
      assertThat(node.onA(Splats.COMMAND)).isEmpty();
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
    }
  }

  private static void check(TestNode node, String program, int atLeast) throws Exception {
    List<String> said = node.onA(program).lines().map(String::strip).toList();
    System.out.println(String.join("\n", said));
    assertThat(said).endsWith("end");
    assertThat(said).filteredOn(line -> line.startsWith("bad ")).isEmpty();
    assertThat(said).filteredOn(line -> line.startsWith("ok ")).hasSizeGreaterThan(atLeast);
  }
}
