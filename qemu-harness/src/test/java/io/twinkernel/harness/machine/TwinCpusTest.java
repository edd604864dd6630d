package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** B on several CPUs: it starts those that A gave it and no other, and A gets all of them back. */
@Tag("machine")
final class TwinCpusTest {

  private static final String ONLINE = "cat /sys/devices/system/cpu/online";

  /** Each one that is offline; what comes of it is said on the console. */
  private static final String START_ALL =
      "cd /sys/devices/system/cpu; for cpu in cpu[0-9]*; do"
          + " [ \"$(cat $cpu/online 2>/dev/null)\" != 0 ] || echo 1 >$cpu/online; done";

  /** What holds the module beyond those that have its device open. */
  private static final String HELD =
      "echo $(($(cat /sys/module/twin/refcnt)"
          + " - $(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c ' /dev/twin$')))";

  /** Of interrupts from a CPU that is not A's, and of what else should not be. */
  private static final String TROUBLE =
      "Oops|BUG:|WARNING:|general protection|Kernel panic|Call Trace|No irq handler|unknown reason";

  @TempDir Path folder;

  @Test
  void startsWhatItWasGivenAndNothingElse() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of())) {
      String upgrade = node.boot(3, 2);
      assertThat(node.onA(ONLINE)).isEqualTo("0-1");
      String mine = node.onB(ONLINE);
      assertThat(node.onB("nproc")).isEqualTo("2");
      assertThat(node.onB("cat /sys/kernel/twin/startable")).isEqualTo(mine);

      List<String> refused = node.onB(START_ALL).lines().toList();
      assertThat(refused)
          .isNotEmpty()
          .allSatisfy(line -> assertThat(line).contains("Operation not permitted"));
      assertThat(node.onB(ONLINE)).isEqualTo(mine);

      // For as long as B lives, also when nobody has the device open.
      assertThat(node.onB(HELD)).isEqualTo("1");

      // What B must not start is at work, and nothing of B's: A may stop and start it beside B.
      node.onA("cd /sys/devices/system/cpu/cpu1; echo 0 >online; echo 1 >online");
      assertThat(node.onA(ONLINE)).isEqualTo("0-1");
      assertThat(node.onB("nproc")).isEqualTo("2");
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();

      node.rollBack(upgrade);
      isWhole(node);
    }
  }

  private static void isWhole(TestNode node) throws Exception {
    assertThat(node.onA(ONLINE)).isEqualTo("0-3");
    assertThat(node.onA("cat /sys/kernel/twin/state")).isEqualTo("idle");
    assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
    assertThat(node.onA("dmesg -c")).doesNotContainPattern(TROUBLE);
  }
}
