package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.qemu.MachineSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One of two kernels panics: the other one learns of it at once, and goes on. */
@Tag("machine")
final class PanicTest {

  /** In the background, so that the shell still answers before its kernel is gone. */
  private static final String PANIC = "sh -c '(sleep 1; echo c >/proc/sysrq-trigger) &'";

  private static final String PANICKED = "Kernel panic - not syncing: sysrq triggered crash";

  /** Of interrupts from a CPU that is not A's, and of what else should not be. */
  private static final String TROUBLE =
      "Oops|BUG:|WARNING:|general protection|Call Trace|No irq handler|unknown reason";

  /** The NICs that B, and the kernel after it, have of their own in the service's network. */
  private static final String PORT = MachineSpec.SERVICE_PORTS.split(",", 2)[0];

  private static final String SECOND_PORT = MachineSpec.SERVICE_PORTS.split(",", 2)[1];

  @TempDir Path folder;

  @Test
  void takesTheMachineBackFromATwinThatPanicsOrHangsAndTriesAgain() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of())) {
      String first = node.boot(3, 2);
      assertThat(node.onA("cat /sys/devices/system/cpu/online")).isEqualTo("0-1");
      node.onB(PANIC);
      node.await("the panic of B", () -> node.bootLog().contains(PANICKED));
      isUndoneUnasked(node, first, "the panic of B", "panicked");
      assertThat(node.onA("cat /sys/devices/system/cpu/online")).isEqualTo("0-3");
      assertThat(node.onA("dmesg -c")).doesNotContainPattern(TROUBLE);
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();

      String second = node.boot();
      try (Debugger debugger = Debugger.attach(node, folder.resolve("debugger"))) {
        debugger.hang(3);
      }
      isUndoneUnasked(node, second, "B's last interrupt", "stopped");
      assertThat(node.onA("cat /sys/devices/system/cpu/online")).isEqualTo("0-3");

      assertThat(node.finish(node.boot())).isEqualTo("COMPLETE");
      assertThat(node.onB("uname -r")).isEqualTo(node.releaseOfB());
      assertThat(node.serves(Duration.ofSeconds(10))).isTrue();
      node.onB("sh -c '(sleep 1; poweroff -f) &'");
      assertThat(node.machine().onExit().get(60, TimeUnit.SECONDS).exitValue()).isZero();
    }
  }

  /** Nobody asks for anything: A's broker notices by itself. */
  private static void isUndoneUnasked(TestNode node, String upgrade, String since, String why)
      throws Exception {
    long start = System.nanoTime();
    var noticed = node.await(upgrade, event -> event.is("rollback", "failed"));
    long millis = TimeUnit.NANOSECONDS.toMillis(noticed.receivedAt() - start);
    System.out.println("A's word came " + millis + " ms after " + since);
    // A second on a machine of its own; an emulator's timers are late, and A allows for that.
    assertThat(millis).isLessThan(10_000);
    node.await("the end", () -> node.upgrade(upgrade).path("terminal").asBoolean());
    assertThat(node.upgrade(upgrade).path("state").asText()).isEqualTo("ROLLED_BACK");
    assertThat(node.upgrade(upgrade).path("failure").toString()).contains(why);
  }

  @Test
  void adoptsTheMachineOfAKernelThatPanics() throws Exception {
    Map<String, String> settings =
        Map.of("failover", "adopt", "service.start", "/etc/twin/service");
    try (TestNode node = TestNode.start(folder, settings)) {
      String first = node.boot();
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
      node.onA(PANIC);
      node.await("the panic of A", () -> node.consoleA().contains(PANICKED));
      isAdopted(node, first, node::onB);
      assertThat(node.consoleA()).contains("---[ end Kernel panic");

      // Now B is the one that runs, and panics beside the twin that it started.
      node.installOnB();
      String second = node.bootBesideB();
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
      node.onB(PANIC);
      node.await("the panic of B", () -> node.bootLog().contains(PANICKED));
      isAdopted(node, second, node::onC);
      node.onC("sh -c '(sleep 1; reboot -f) &'");
      assertThat(node.machine().onExit().get(60, TimeUnit.SECONDS).exitValue()).isZero();
    }
  }

  /**
   * B has a NIC of its own in the service's network, which is silent when A panics, or is not set
   * up yet: the service goes on by A's, and the next upgrade has ports again.
   */
  @ParameterizedTest
  @ValueSource(strings = {"boot", "precopy"})
  void adoptsTheServicesNicBesideOneOfItsOwn(String last) throws Exception {
    Map<String, String> settings =
        Map.of(
            "failover",
            "adopt",
            "service.start",
            "/etc/twin/service",
            TestNode.PORTS,
            MachineSpec.SERVICE_PORTS);
    try (TestNode node = TestNode.start(folder, settings)) {
      String upgrade = last.equals("boot") ? node.boot() : node.precopy();
      assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
      String service = node.onA(network(MachineSpec.SERVICE_NIC));
      node.onA(PANIC);
      node.await("the panic of A", () -> node.consoleA().contains(PANICKED));
      isAdopted(node, upgrade, node::onB);
      assertThat(node.onB(network(MachineSpec.SERVICE_NIC))).isEqualTo(service).contains("inet ");
      // No other has the service's addresses, nor can one confuse switches.
      String own = node.onB(network(PORT));
      assertThat(own).contains("link/ether").doesNotContain("inet ");
      assertThat(own.lines().findFirst()).isNotEqualTo(service.lines().findFirst());
      assertThat(node.onB(Splats.COMMAND)).isEmpty();

      node.installOnB();
      assertThat(node.finish(node.bootBesideB())).isEqualTo("COMPLETE");
      assertThat(node.serves(Duration.ofSeconds(10))).isTrue();
      assertThat(node.onC("grep service.interface.pci /etc/twin/node.conf"))
          .endsWith("=" + SECOND_PORT);
    }
  }

  /** A command: MAC address, IPv4 addresses and routes of a NIC's interface, without its name. */
  private static String network(String function) {
    return "n=$(ls /sys/bus/pci/devices/%s/virtio*/net);".formatted(function)
        + " ip addr show dev $n | grep -o -E 'link/ether [0-9a-f:]+|inet [0-9.]+/[0-9]+';"
        + " ip route show dev $n | sed \"s/ dev $n//\"";
  }

  /** A shell of one kernel. */
  @FunctionalInterface
  private interface Shell {
    String run(String command) throws IOException;
  }

  /** After a panic: the kernel that was started beside has the service and the whole machine. */
  private static void isAdopted(TestNode node, String upgrade, Shell successor) throws Exception {
    long panicked = System.nanoTime();
    node.await("the end", () -> node.upgrade(upgrade).path("terminal").asBoolean());
    System.out.println(
        "crash failover: the successor's word came "
            + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - panicked)
            + " ms after the panic");
    assertThat(node.serves(Duration.ofSeconds(5))).isTrue();
    assertThat(node.upgrade(upgrade).path("state").asText()).isEqualTo("FAILED");
    assertThat(node.upgrade(upgrade).path("failure").toString()).contains("panicked");
    System.out.println(successor.run("dmesg | grep failover"));
    // All CPUs, that on which the firmware began among them, and all memory but what the next
    // kernel starts in.
    assertThat(successor.run("nproc")).isEqualTo("4");
    everyCpuWorks(successor);
    assertThat(
            Long.parseLong(
                successor.run("sed -n 's/MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")))
        .isGreaterThan(2_000_000);
    assertThat(node.bootLog()).doesNotContain("WARNING:", "BUG:");
  }

  /** Programs run on each one, and each one's timer interrupts it. */
  private static void everyCpuWorks(Shell shell) throws Exception {
    List<Long> before = counts(shell);
    shell.run(
        "sh -c 'for task in 1 2 3 4 5 6 7 8; do"
            + " (i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done) & done; wait'");
    List<Long> after = counts(shell);
    assertThat(before).hasSize(8);
    assertThat(after).hasSize(8);
    for (int i = 0; i < before.size(); i++) {
      assertThat(after.get(i)).as("count " + i).isGreaterThan(before.get(i));
    }
  }

  /** Of each CPU how long programs ran on it, then how often its timer interrupted it. */
  private static List<Long> counts(Shell shell) throws Exception {
    return shell
        .run(
            "awk '/^cpu[0-9]/ { print $2 } /LOC:/ { print $2; print $3; print $4; print $5 }'"
                + " /proc/stat /proc/interrupts")
        .lines()
        .map(line -> Long.parseLong(line.strip()))
        .toList();
  }

  @Test
  void staysPutIfItIsToldNothing() throws Exception {
    try (TestNode node = TestNode.start(folder, Map.of())) {
      node.boot();
      node.onA(PANIC);
      node.await("B's word", () -> node.onB("dmesg").contains("staying put"));
      assertThat(node.onB("nproc")).isEqualTo("1");
      assertThat(node.serves(Duration.ofSeconds(3))).isFalse();
      // Neither did A reset the machine, nor jump into B.
      assertThat(node.onB("cat /sys/kernel/twin/state")).isEqualTo("twin");
      assertThat(node.machine().alive()).isTrue();
    }
  }
}
