package io.twinkernel.broker.agent;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.cpu.AllowedCpus;
import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.cpu.PinnedThreads;
import io.twinkernel.broker.process.CgroupHierarchy;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With real processes, which are said to have come from another kernel. */
final class CpuKeeperTest {
  private static final List<Integer> FIRST = List.of(0);

  private final List<Process> started = new ArrayList<>();
  private @Nullable Path made;

  @BeforeEach
  void make() throws IOException {
    made = Files.createTempDirectory(CgroupHierarchy.root(), "twin-test-");
  }

  @AfterEach
  void end() throws Exception {
    new Service(cgroup()).kill();
    for (Process process : started) {
      process.waitFor();
    }
    while (!Files.readString(cgroup().resolve("cgroup.procs")).isEmpty()) {
      Thread.onSpinWait();
    }
    Files.delete(cgroup());
  }

  private Path cgroup() {
    Path cgroup = made;
    if (cgroup == null) {
      throw new IllegalStateException("not begun");
    }
    return cgroup;
  }

  /** One that begins a child for each line that it reads, and says its number. */
  private Process start() throws IOException {
    Process process =
        new ProcessBuilder("sh", "-c", "while read line; do sleep 1000 & echo $!; done").start();
    started.add(process);
    Files.writeString(cgroup().resolve("cgroup.procs"), Long.toString(process.pid()));
    return process;
  }

  private static int child(Process process, BufferedReader said) throws IOException {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
    return Integer.parseInt(said.readLine());
  }

  private static List<Integer> allowed(long pid) throws IOException {
    return AllowedCpus.of("/proc/" + pid).orElseThrow();
  }

  private CpuKeeper keeper(Process pinned) throws IOException {
    int pid = (int) pinned.pid();
    var kept = new ServiceCpus.Kept(pid, pid, List.of(ApicIds.read().get(0)));
    var wanted = new ServiceCpus(List.of(kept), List.of());
    return new CpuKeeper(wanted, () -> new Service(cgroup()), System.nanoTime());
  }

  /** When a process began is known to 10 ms. */
  private static void awaitLater(Duration moment) throws IOException {
    String uptime = "/proc/uptime";
    while (seconds(Files.readString(Path.of(uptime))).minus(moment).toMillis() < 20) {
      Thread.onSpinWait();
    }
  }

  private static Duration seconds(String uptime) {
    return Duration.ofMillis((long) (Double.parseDouble(uptime.split(" ", -1)[0]) * 1e3));
  }

  @Test
  void whatWasKeptIsAndTheOthersRunWhereTheyDid() throws Exception {
    Process pinned = start();
    Process other = start();
    List<Integer> all = allowed(other.pid());
    assertThat(keeper(pinned).keep()).isEmpty();
    assertThat(allowed(pinned.pid())).isEqualTo(FIRST);
    assertThat(allowed(other.pid())).isEqualTo(all);
  }

  @Test
  void aChildThatCameBeforeIsNotMeantAndOneThatHasComeSinceIs() throws Exception {
    Process pinned = start();
    try (BufferedReader said = pinned.inputReader(US_ASCII)) {
      int before = child(pinned, said);
      List<Integer> all = allowed(before);
      awaitLater(PinnedThreads.start("/proc/" + before).orElseThrow());
      CpuKeeper keeper = keeper(pinned);
      awaitLater(seconds(Files.readString(Path.of("/proc/uptime"))));
      int since = child(pinned, said);
      assertThat(keeper.keep()).isEmpty();
      assertThat(allowed(since)).isEqualTo(FIRST);
      assertThat(allowed(before)).isEqualTo(all);
    }
  }

  @Test
  void whatHasBeenGivenOtherCpusMeanwhileIsLeftAlone() throws Exception {
    Process pinned = start();
    CpuKeeper keeper = keeper(pinned);
    int last = ApicIds.read().size() - 1;
    AllowedCpus.keep((int) pinned.pid(), List.of(last));
    assertThat(keeper.keep()).isEmpty();
    assertThat(allowed(pinned.pid())).containsExactly(last);
  }

  @Test
  void cpusThatThisKernelDoesNotHaveAreNotAskedFor() throws Exception {
    Process pinned = start();
    List<Integer> all = allowed(pinned.pid());
    int pid = (int) pinned.pid();
    var wanted = new ServiceCpus(List.of(new ServiceCpus.Kept(pid, pid, List.of(250))), List.of());
    var keeper = new CpuKeeper(wanted, () -> new Service(cgroup()), System.nanoTime());
    assertThat(keeper.keep()).isEmpty();
    assertThat(allowed(pid)).isEqualTo(all);
  }

  @Test
  void oneThatHasEndedIsNotMissed() throws Exception {
    Process pinned = start();
    CpuKeeper keeper = keeper(pinned);
    pinned.destroyForcibly().waitFor();
    assertThat(keeper.keep()).isEmpty();
  }
}
