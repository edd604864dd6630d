package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.qemu.MachineSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever goes wrong in the switch before the commit, whoever's fault it is, the first kernel goes
 * on with its connections, and soon; and the next upgrade succeeds. {@code -Dtwin.test.faults=} for
 * others than these, separated by commas: each step of the trace can be the one.
 */
@Tag("machine")
final class SwitchFaultTest {
  /** Of each kind, where most is to be undone; what fails sooner leaves less. */
  private static final String FAULTS =
      System.getProperty(
          "twin.test.faults",
          "a-fails@send-state,a-dies@read-connections,b-fails@write-connections,"
              + "b-dies@write-registers,b-hangs@restore,b-panics@restore");

  /** The network is open, and no connection speaks. */
  private static final String AFTERWARDS =
      System.getProperty("twin.test.faults.afterwards", "b-dies@port-open");

  private static final String STATE =
      "cat /sys/devices/system/cpu/online /sys/kernel/twin/state; ls /sys/bus/pci/devices;"
          + " grep -c 'System RAM' /proc/iomem; ls /sys/bus/pci/devices/0000:81:00.0/virtio*/net";

  /** A failed attempt is to take twice as long as one that succeeds; emulated, they vary. */
  private static final int ROUGHLY = 5;

  /** One that has to wait for a time-out, or for a JVM to start, takes far longer. */
  private static final int MOST = 20;

  @TempDir Path folder;

  @Test
  void theFirstKernelGoesOnAndSoon() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of(TestNode.PORTS, MachineSpec.SERVICE_PORTS));
        CountingClient client = CountingClient.connect(node.servicePort())) {
      node.onA("dmesg -c");
      String before = node.onA(STATE);
      var gaps = new ArrayList<Duration>();
      for (String fault : Pattern.compile(",").split(FAULTS, -1)) {
        client.longestGap();
        assertThat(node.fail(fault, 3, 2)).as(fault).isEqualTo("ROLLED_BACK");
        client.awaitAnswer();
        gaps.add(client.longestGap());
        System.out.println(fault + ": " + gaps.getLast().toMillis() + " ms");
        assertThat(client.wrong()).as(fault).isEmpty();
        assertThat(node.onA(STATE)).as(fault).isEqualTo(before);
        assertThat(Splats.in(node.onA("dmesg -c"))).as(fault).isEmpty();
      }
      client.longestGap();
      assertThat(node.finish(node.boot(3, 2))).isEqualTo("COMPLETE");
      client.awaitAnswer();
      Duration success = client.longestGap();
      System.out.println("none: " + success.toMillis() + " ms");
      assertThat(client.wrong()).isEmpty();
      gaps.sort(null);
      assertThat(gaps.get(gaps.size() / 2)).isLessThan(success.multipliedBy(ROUGHLY));
      assertThat(gaps.getLast()).isLessThan(success.multipliedBy(MOST));
    }
  }

  /**
   * There is no way back then: whoever starts anew there does the rest, and the upgrade goes on.
   */
  @Test
  void afterTheCommitTheSecondKernelGoesOnThoughItsBrokerDies() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of(TestNode.PORTS, MachineSpec.SERVICE_PORTS));
        CountingClient client = CountingClient.connect(node.servicePort())) {
      assertThat(node.fail(AFTERWARDS, 3, 2)).isEqualTo("COMPLETE");
      client.awaitAnswer();
      System.out.println(AFTERWARDS + ": " + client.longestGap().toMillis() + " ms");
      assertThat(client.wrong()).isEmpty();
      assertThat(Splats.in(node.onB("dmesg | sed -n '/recovery:/,$p'"))).isEmpty();
    }
  }
}
