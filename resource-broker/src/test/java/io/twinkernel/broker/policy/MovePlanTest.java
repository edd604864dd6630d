package io.twinkernel.broker.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.plan.CapturedTree;
import io.twinkernel.broker.plan.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Against /proc of real processes. 30001 holds what cannot move; 30002 with its child 30006 what
 * can; 30003 and 30008 are two trees with a pipe and a connection between them.
 */
final class MovePlanTest {
  private static final int STUCK = 30001;
  private static final int CLEAN = 30002;
  private static final int CHILD = 30006;
  private static final int LINKED = 30003;
  private static final int OTHER = 30008;

  @TempDir private Path root;
  private Path proc = Path.of("/proc");

  @BeforeEach
  void capture() throws IOException {
    proc = CapturedTree.in(root, MovePlanTest.class, "processes.txt").resolve("proc");
  }

  /** With {@code /} on the disk that goes over. */
  private MovePlan plan(String policy) throws IOException {
    return MovePlan.of(Policy.parse(policy), new ProcReader(proc), 1, "/");
  }

  private static List<String> what(MovePlan plan) {
    return plan.refusals().stream().map(Refusal::what).toList();
  }

  private static Map<String, String> why(MovePlan plan) {
    return plan.refusals().stream()
        .collect(Collectors.toMap(Refusal::what, Refusal::why, (first, _) -> first));
  }

  @Test
  void whatCanMoveIsNotRefused() throws IOException {
    MovePlan plan = plan("move cgroup service/clean");
    assertThat(plan.refusals()).isEmpty();
    assertThat(plan.moves().moving())
        .extracting(ProcessFacts::pid)
        .containsExactlyInAnyOrder(CLEAN, CHILD);
    assertThat(plan.moves().trees().keySet()).extracting(ProcessFacts::pid).containsExactly(CLEAN);
    assertThat(plan.moves().cgroups()).containsExactly(Path.of("/sys/fs/cgroup/service/clean"));
  }

  @Test
  void everyDescriptorThatIsTheReasonIsNamed() throws IOException {
    Map<String, String> why = why(plan("move cgroup service/stuck"));
    String fd = "pid 30001 (python3) fd ";
    assertThat(why.get(fd + "3 -> " + target(3))).contains("packet socket");
    assertThat(why.get(fd + "4 -> " + target(4))).contains("raw socket");
    assertThat(why.get(fd + "5 -> anon_inode:[io_uring]")).contains("io_uring");
    assertThat(why.get(fd + "6 -> anon_inode:[perf_event]")).contains("perf");
    assertThat(why.get(fd + "7 -> anon_inode:bpf-map")).contains("BPF");
    assertThat(why.get(fd + "8 -> anon_inode:[userfaultfd]")).contains("page faults");
    assertThat(why.get(fd + "9 -> anon_inode:[pidfd]")).contains("pidfd");
    assertThat(why.get(fd + "10 -> /dev/loop-control"))
        .isEqualTo("an open device that stays with this kernel");
    assertThat(why.get(fd + "12 -> /srv/deleted (deleted)")).contains("deleted file on a disk");
    assertThat(why.get(fd + "13 -> /dev/shm/tw-open")).contains("in this kernel's memory");
    assertThat(why.keySet()).noneMatch(what -> what.contains("/etc/hostname"));
    assertThat(why.keySet()).noneMatch(what -> what.contains("/dev/null"));
  }

  private String target(int fd) throws IOException {
    return Files.readSymbolicLink(proc.resolve(STUCK + "/fd/" + fd)).toString();
  }

  @Test
  void everyMappingThatIsTheReasonIsNamed() throws IOException {
    // The broker, here 30003, is in the same IPC namespace.
    MovePlan plan =
        MovePlan.of(Policy.parse("move cgroup service/stuck"), new ProcReader(proc), LINKED, "/");
    assertThat(what(plan))
        .anyMatch(what -> what.matches("pid 30001 .* memory at .* -> /SYSV00000000 \\(deleted\\)"))
        .anyMatch(what -> what.matches("pid 30001 .* memory at .* -> /srv/deleted \\(deleted\\)"));
  }

  @Test
  void filesOnADiskThatStaysAreRefused() throws IOException {
    MovePlan plan =
        MovePlan.of(Policy.parse("move cgroup service/clean"), new ProcReader(proc), 1, "");
    assertThat(why(plan).values()).anyMatch(why -> why.contains("will not have"));
  }

  @Test
  void bothEndsMustBeInOneTree() throws IOException {
    MovePlan both = plan("move cgroup service");
    assertThat(why(both))
        .anySatisfy(
            (what, why) -> {
              assertThat(what).matches("pid 30003 \\(python3\\) fd \\d+ -> pipe:\\[\\d+]");
              assertThat(why).contains("pid 30008").contains("another tree");
            })
        .anySatisfy(
            (what, why) -> {
              assertThat(what).matches("pid 30008 \\(python3\\) fd \\d+ -> socket:\\[\\d+]");
              assertThat(why).contains("the connection's end").contains("pid 30003");
            });
    assertThat(why(plan("move cgroup service/linked-a")).values())
        .anyMatch(why -> why.contains("pid 30008 as well, which does not move"));
    assertThat(both.moves().trees().keySet())
        .extracting(ProcessFacts::pid)
        .containsExactly(STUCK, CLEAN, LINKED, OTHER);
  }

  @Test
  void memoryIsSharedWithinOneTreeOnly() throws IOException {
    String memory = "7f26e1200000-7f26e1400000 rw-s 00000000 00:01 17 /dev/zero (deleted)\n";
    for (int pid : new int[] {CLEAN, CHILD}) {
      Files.writeString(
          proc.resolve(pid + "/maps"), Files.readString(proc.resolve(pid + "/maps")) + memory);
    }
    assertThat(plan("move cgroup service/clean").refusals()).isEmpty();
    Path other = proc.resolve(OTHER + "/maps");
    String before = Files.readString(other);
    // Another memory by that name is none of theirs.
    Files.writeString(other, before + memory.replace("17 /", "18 /"));
    assertThat(plan("move cgroup service/clean").refusals()).isEmpty();
    Files.writeString(other, before + memory);
    assertThat(why(plan("move cgroup service/clean")))
        .anySatisfy(
            (what, why) -> {
              assertThat(what).contains("memory at 7f26e1200000 -> /dev/zero");
              assertThat(why).contains("pid 30008").contains("does not move");
            });
    assertThat(why(plan("move cgroup service")).values())
        .anyMatch(why -> why.contains("memory that it shares") && why.contains("another tree"));
  }

  /** Of one number CRIU writes down one of the two for both, or fails. */
  @Test
  void systemVMemoryHasAnotherNumberThanSharedMemory() throws IOException {
    String memory = "7f26e1200000-7f26e1400000 rw-s 00000000 00:01 17 /dev/zero (deleted)\n";
    String systemV = "7f26e1500000-7f26e1501000 rw-s 00000000 00:01 %d /SYSV00000000 (deleted)\n";
    Path parent = proc.resolve(CLEAN + "/maps");
    Path child = proc.resolve(CHILD + "/maps");
    Files.writeString(parent, Files.readString(parent) + memory);
    String before = Files.readString(child) + memory;
    Files.writeString(child, before + systemV.formatted(18));
    assertThat(why(plan("move cgroup service/clean")).values())
        .noneMatch(why -> why.contains("the number"));
    Files.writeString(child, before + systemV.formatted(17));
    assertThat(why(plan("move cgroup service/clean")))
        .anySatisfy(
            (what, why) -> {
              assertThat(what).contains("memory at 7f26e1500000 -> /SYSV00000000");
              assertThat(why).contains("the number 17").contains("/dev/zero");
            });
  }

  @Test
  void whatSharesACgroupOrAParentWithMovingOnesMustMoveToo() throws IOException {
    Path child = proc.resolve(CHILD + "/stat");
    Files.writeString(child, Files.readString(child).replace("(python3)", "(helper)"));
    MovePlan plan = plan("stay process helper\nmove cgroup service/clean");
    assertThat(plan.refusals())
        .filteredOn(refusal -> refusal.what().equals("pid 30006 (helper)"))
        .extracting(Refusal::why)
        .anyMatch(why -> why.contains("its cgroup /sys/fs/cgroup/service/clean is stopped"))
        .anyMatch(why -> why.contains("its parent does"));
  }

  @Test
  void tracedProcessesLowNumbersAndForeignLeadersAreRefused() throws IOException {
    Path status = proc.resolve(CLEAN + "/status");
    Files.writeString(status, Files.readString(status).replace("TracerPid:\t0", "TracerPid:\t77"));
    Files.createDirectories(proc.resolve(CLEAN + "/task/812"));
    Path stat = proc.resolve(CHILD + "/stat");
    Files.writeString(stat, Files.readString(stat).replaceFirst("30002 30002 30002", "30002 4 4"));
    Map<String, List<String>> why =
        plan("move cgroup service/clean").refusals().stream()
            .collect(
                Collectors.groupingBy(
                    Refusal::what, Collectors.mapping(Refusal::why, Collectors.toList())));
    assertThat(why.get("pid 30002 (python3)"))
        .anyMatch(one -> one.contains("pid 77 traces it"))
        .anyMatch(one -> one.contains("thread number 812"));
    assertThat(why.get("pid 30006 (python3)"))
        .containsExactly("the leader of its session, pid 4 (ended), is not in the same tree");
  }

  @Test
  void aTerminalNeedsItsOtherEnd() throws IOException {
    Files.delete(proc.resolve(CLEAN + "/fd/16"));
    Files.delete(proc.resolve(CHILD + "/fd/16"));
    assertThat(why(plan("move cgroup service/clean")))
        .hasEntrySatisfying(
            "pid 30002 (python3) fd 17 -> /dev/pts/0",
            why -> assertThat(why).contains("other end does not move"));
  }

  @Test
  void aTerminalByItsOtherNameMustBeInItsMastersProcess() throws IOException {
    Path fd = proc.resolve(CHILD + "/fd/16");
    Files.delete(fd);
    Files.createSymbolicLink(fd, Path.of("/dev/tty"));
    assertThat(why(plan("move cgroup service/clean")))
        .hasEntrySatisfying(
            "pid 30006 (python3) fd 16 -> /dev/tty",
            why -> assertThat(why).contains("in another process"));
  }

  @Test
  void whatIsStartedAnewIsListedByItsRule() throws IOException {
    MovePlan plan =
        plan("move cgroup service/clean\nrestart cgroup service/linked-* /sbin/start it\n");
    assertThat(plan.moves().restarted()).hasSize(1);
    assertThat(plan.moves().restarted().values().iterator().next())
        .extracting(ProcessFacts::pid)
        .containsExactly(LINKED, OTHER);
  }
}
