package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.process.CgroupHierarchy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** On a real cgroup v2 hierarchy; needs root. */
final class ServicePracticeTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  @TempDir Path folder;
  private final Path cgroup;

  ServicePracticeTest() throws IOException {
    cgroup = CgroupHierarchy.root().resolve("twin-practice-test-" + ProcessHandle.current().pid());
  }

  @Test
  void runsInACgroupOfItsOwnWhichIsGoneThen() throws Exception {
    Path said = folder.resolve("said");
    ServicePractice.run(cgroup, program("cat /proc/self/cgroup >" + said), LONG);
    assertThat(said).content().contains(cgroup.getFileName().toString());
    assertThat(cgroup).doesNotExist();
  }

  @Test
  @Timeout(30)
  void whatItLeavesBehindIsEnded() throws Exception {
    Path pid = folder.resolve("pid");
    ServicePractice.run(cgroup, program("setsid sleep 1000 & echo $! >" + pid), LONG);
    assertThat(cgroup).doesNotExist();
    isGone(pid);
  }

  @Test
  @Timeout(30)
  void whatTakesTooLongIsEnded() throws Exception {
    Path pid = folder.resolve("pid");
    ServicePractice.run(
        cgroup, program("echo $$ >" + pid + "; sleep 1000; true"), Duration.ofSeconds(2));
    assertThat(cgroup).doesNotExist();
    isGone(pid);
  }

  @Test
  void whatIsNotThereIsNoFailure() throws Exception {
    ServicePractice.run(cgroup, folder.resolve("nothing").toString(), LONG);
    ServicePractice.run(cgroup, "", LONG);
    assertThat(cgroup).doesNotExist();
  }

  /** Or waits for its parent, which is none of ours. */
  private static void isGone(Path pid) throws IOException {
    Path status = Path.of("/proc", Files.readString(pid).strip(), "status");
    if (Files.exists(status)) {
      assertThat(status).content().contains("State:\tZ");
    }
  }

  private String program(String text) throws IOException {
    Path file = folder.resolve("program");
    Files.writeString(file, "#!/bin/sh\n" + text + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    return file.toString();
  }
}
