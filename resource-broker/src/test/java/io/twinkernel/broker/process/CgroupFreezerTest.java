package io.twinkernel.broker.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.bindings.Linux;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** On a real cgroup v2 hierarchy; needs root. */
class CgroupFreezerTest {

  private static final Duration SOON = Duration.ofSeconds(10);

  private final Path cgroup;
  private final CgroupFreezer freezer;
  private final Process shell;

  CgroupFreezerTest() throws IOException {
    cgroup = CgroupHierarchy.root().resolve("twin-test-" + ProcessHandle.current().pid());
    Files.createDirectories(cgroup.resolve("below"));
    freezer = new CgroupFreezer(cgroup);
    // It says what it is told, and has a child.
    shell =
        new ProcessBuilder("sh", "-c", "sleep 1000 & while read line; do echo \"$line\"; done")
            .start();
    freezer.adopt((int) shell.pid());
    assertThat(answer("one")).isEqualTo("one");
    for (ProcessHandle child : shell.children().toList()) {
      new CgroupFreezer(cgroup.resolve("below")).adopt((int) child.pid());
    }
  }

  @AfterEach
  void end() throws Exception {
    Files.writeString(cgroup.resolve("cgroup.kill"), "1");
    assertThat(shell.waitFor(10, TimeUnit.SECONDS)).isTrue();
    for (Path group : List.of(cgroup.resolve("below"), cgroup)) {
      // The kernel empties a group a moment after its last process was reaped.
      for (int i = 0; i < 100 && !removed(group); i++) {
        Thread.onSpinWait();
        TimeUnit.MILLISECONDS.sleep(10);
      }
    }
    assertThat(cgroup).doesNotExist();
  }

  @Test
  void theTreeHasEveryProcessOfTheGroupsBelow() throws IOException {
    ProcessTree tree = ProcessTree.of(cgroup);
    assertThat(tree.processes()).extracting(ServiceProcess::name).containsExactly("sh", "sleep");
    assertThat(tree.roots()).extracting(ServiceProcess::name).containsExactly("sh");
  }

  @Test
  void aKernelWithoutCgroupKillEndsThemAllTheSame() throws Exception {
    freezer.stop(SOON);
    freezer.killOneByOne();
    assertThat(shell.waitFor(10, TimeUnit.SECONDS)).isTrue();
    // Of the shell its parent, which is this, is told; of the child nobody here is.
    for (int i = 0; i < 1000 && !dead(); i++) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    assertThat(ProcessTree.of(cgroup).processes()).allMatch(process -> process.state() == 'Z');
  }

  private boolean dead() throws IOException {
    return ProcessTree.of(cgroup).processes().stream().allMatch(one -> one.state() == 'Z');
  }

  @Test
  void whatIsFrozenDoesNotAnswerUntilThawed() throws Exception {
    freezer.freeze(SOON);
    assertThat(Files.readString(cgroup.resolve("cgroup.events"))).contains("frozen 1");
    say("two");
    assertThat(shell.getInputStream().available()).isZero();
    freezer.thaw();
    assertThat(shell.inputReader().readLine()).isEqualTo("two");
  }

  @Test
  void stoppingStopsAllAndResumingResumesAll() throws Exception {
    ProcessTree stopped = freezer.stop(SOON);
    assertThat(stopped.processes()).hasSize(2);
    for (ServiceProcess process : stopped.processes()) {
      assertThat(ProcessTree.read(process.pid()).state()).isEqualTo('T');
    }
    assertThat(Files.readString(cgroup.resolve("cgroup.events"))).contains("frozen 0");
    say("three");
    assertThat(shell.getInputStream().available()).isZero();
    freezer.resume();
    assertThat(shell.inputReader().readLine()).isEqualTo("three");
    for (ServiceProcess process : stopped.processes()) {
      assertThat(ProcessTree.read(process.pid()).state()).isNotEqualTo('T');
    }
  }

  /** Of the shell, which has a child. */
  @Test
  void whoeverIsThereIsStoppedWhateverIsKnownOfOne() throws Exception {
    for (CgroupFreezer.Progress said :
        List.of(CgroupFreezer.Progress.STOPPED, CgroupFreezer.Progress.UNKNOWN)) {
      var known = new Known((int) shell.pid(), said);
      ProcessTree stopped = freezer.stop(SOON, Optional.of(known));
      assertThat(stopped.processes()).hasSize(2);
      for (ServiceProcess process : stopped.processes()) {
        assertThat(ProcessTree.read(process.pid()).state()).isEqualTo('T');
      }
      freezer.resume();
    }
  }

  /** Says at first that it has not stopped. */
  private static final class Known implements CgroupFreezer.Watch {
    private static final int LOOKS = 50;

    private final int pid;
    private final CgroupFreezer.Progress said;
    private int looks;

    Known(int pid, CgroupFreezer.Progress said) {
      this.pid = pid;
      this.said = said;
    }

    @Override
    public int pid() {
      return pid;
    }

    @Override
    public boolean stop() throws IOException {
      Processes.kill(pid, Linux.SIGSTOP());
      return true;
    }

    @Override
    public CgroupFreezer.Progress look() {
      return looks++ < LOOKS ? CgroupFreezer.Progress.RUNNING : said;
    }
  }

  /** Its threads run all the time: none of them may do so for an instant after the stop. */
  @Test
  void stoppingStopsEveryThreadOfAProcessThatIsAlone() throws Exception {
    CgroupFreezer below = new CgroupFreezer(cgroup.resolve("below"));
    below.kill();
    Process busy =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                Path.of(Busy.class.getProtectionDomain().getCodeSource().getLocation().toURI())
                    .toString(),
                Busy.class.getName())
            .start();
    try {
      assertThat(busy.inputReader().readLine()).isEqualTo("busy");
      for (int i = 0; i < 1000 && !ProcessTree.of(below.cgroup()).processes().isEmpty(); i++) {
        TimeUnit.MILLISECONDS.sleep(10);
      }
      below.adopt((int) busy.pid());
      for (int round = 0; round < 20; round++) {
        ProcessTree stopped = below.stop(SOON);
        assertThat(stopped.processes())
            .extracting(ServiceProcess::pid)
            .containsExactly((int) busy.pid());
        assertThat(states(busy.pid())).hasSizeGreaterThan(Busy.THREADS).containsOnly('T');
        below.resume();
      }
    } finally {
      busy.destroyForcibly().waitFor();
    }
  }

  private static List<Character> states(long pid) throws IOException {
    List<Character> states = new ArrayList<>();
    try (var tasks = Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks) {
        states.add(ProcessTree.parse(Files.readString(task.resolve("stat"))).state());
      }
    }
    return states;
  }

  /** Has threads that never sleep. */
  static final class Busy {
    static final int THREADS = 4;

    private Busy() {}

    public static void main(String[] arguments) {
      for (int i = 0; i < THREADS; i++) {
        Thread.ofPlatform()
            .start(
                () -> {
                  while (true) {
                    Thread.onSpinWait();
                  }
                });
      }
      System.out.println("busy");
    }
  }

  @Test
  void aGroupThatIsNotThereIsNamed() {
    CgroupFreezer nowhere = new CgroupFreezer(cgroup.resolve("nowhere"));
    assertThatThrownBy(() -> nowhere.freeze(SOON))
        .isInstanceOfSatisfying(
            SyscallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
        .hasMessageContaining("nowhere/cgroup.freeze");
  }

  private String answer(String line) throws IOException {
    say(line);
    BufferedReader answers = shell.inputReader();
    return answers.readLine();
  }

  private void say(String line) throws IOException {
    shell.getOutputStream().write((line + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
    shell.getOutputStream().flush();
  }

  static boolean removed(Path group) throws IOException {
    try {
      Files.deleteIfExists(group);
      return true;
    } catch (java.nio.file.FileSystemException e) {
      return false;
    }
  }
}
