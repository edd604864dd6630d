package io.twinkernel.broker.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.twinkernel.broker.plan.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against real processes, started as a container's are. */
final class NamespaceChecksTest {
  private static final String PROGRAM = "tw-contained";

  /** Says that it is up by a line, then waits for the end of its input. */
  private static final String SCRIPT = "cd / && echo up && read -r line; exit 0";

  @TempDir private Path folder;
  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void end() throws InterruptedException {
    for (Process process : started) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
  }

  /** A shell by a name that nothing else on the machine has. */
  private String start(String... options) throws IOException {
    Path shell = folder.resolve(PROGRAM);
    if (!Files.exists(shell)) {
      Files.copy(Path.of("/bin/sh").toRealPath(), shell);
      assertThat(shell.toFile().setExecutable(true)).isTrue();
    }
    List<String> line =
        Stream.of(
                Stream.of("setsid", "--wait", "unshare"),
                Stream.of(options),
                Stream.of(shell.toString(), "-c", SCRIPT))
            .flatMap(part -> part)
            .toList();
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    started.add(process);
    return String.valueOf(process.inputReader().readLine());
  }

  /** Of this machine's processes only those of the test: others may not let themselves be read. */
  private Path proc() throws IOException {
    Path proc = Files.createDirectory(folder.resolve("proc"));
    Stream<Long> seen =
        Stream.concat(
            Stream.of(ProcessHandle.current().pid()),
            started.stream()
                .flatMap(one -> Stream.concat(Stream.of(one.toHandle()), one.descendants()))
                .map(ProcessHandle::pid));
    for (long pid : seen.toList()) {
      Files.createSymbolicLink(proc.resolve(Long.toString(pid)), Path.of("/proc/" + pid));
    }
    return proc;
  }

  /** What is said of the namespaces and mounts of what is named so. */
  private List<Refusal> refusals(String names) throws IOException {
    MovePlan plan =
        MovePlan.of(
            Policy.parse("move process " + names),
            new ProcReader(proc()),
            (int) ProcessHandle.current().pid(),
            "/");
    assertThat(plan.moves().moving()).isNotEmpty();
    return plan.refusals().stream()
        .filter(refusal -> refusal.why().matches("(?s).*(namespace|root file system).*"))
        .toList();
  }

  @ParameterizedTest
  @CsvSource({
    "--net, 'network (net:['",
    "--cgroup, 'cgroup (cgroup:['",
    "--mount, 'user (user:['",
  })
  void whatDoesNotGoOverIsRefusedByName(String option, String named) throws IOException {
    assertThat(start("--user", "--map-root-user", "--fork", option)).isEqualTo("up");
    assertThat(refusals(PROGRAM))
        .filteredOn(refusal -> refusal.why().contains("do not go over"))
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.code()).isEqualTo("cannot-move");
              assertThat(refusal.what()).matches("pid \\d+ \\(" + PROGRAM + "\\)");
              assertThat(refusal.why()).contains(named).contains("user (user:[");
              assertThat(refusal.todo()).contains("have the policy restart it");
            });
  }

  // Below as root without a user namespace, which would be refused; else there is none to be had.

  @Test
  void aPidNamespaceNeedsMounts() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assertThat(start("--pid", "--fork")).isEqualTo("up");
    assertThat(refusals(PROGRAM))
        .singleElement()
        .satisfies(refusal -> assertThat(refusal.why()).contains("whose /proc is of other"));
  }

  @Test
  void theMachinesRootIsNoContainers() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assertThat(start("--mount", "--propagation", "private")).isEqualTo("up");
    assertThat(refusals(PROGRAM)).anyMatch(refusal -> refusal.why().contains("root file system"));
  }

  @Test
  void aTreeHasOneNamespaceOfAKind() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    // Without --fork what the policy finds is unshare's own process, changed; with it there are
    // two.
    assertThat(start("--uts", "sh", "-c", "unshare --uts \"$0\" \"$@\"; exit 0")).isEqualTo("up");
    assertThat(refusals("*"))
        .filteredOn(refusal -> refusal.why().contains("than the root of its tree"))
        .singleElement()
        .satisfies(
            refusal -> {
              assertThat(refusal.what()).contains(PROGRAM);
              assertThat(refusal.why()).contains("UTS (uts:[");
            });
  }

  @Test
  void aNamespaceIsOneTrees() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assertThat(start("--uts", "sh", "-c", "\"$0\" \"$@\"; exit 0")).isEqualTo("up");
    assertThat(refusals(PROGRAM))
        .singleElement()
        .satisfies(
            refusal ->
                assertThat(refusal.why())
                    .contains("its UTS (uts:[")
                    .contains("namespace is also that of pid"));
  }

  @ParameterizedTest
  @CsvSource({"--ipc", "--uts"})
  void theseGoOverWithAnyTree(String option) throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    assertThat(start(option)).isEqualTo("up");
    assertThat(refusals(PROGRAM)).isEmpty();
  }
}
