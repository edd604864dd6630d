package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.broker.process.CgroupFreezer;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of a JVM some of whose threads run all the time. */
final class ThreadStatusTest {
  /** The other test's program. */
  private static final String BUSY = "io.twinkernel.broker.process.CgroupFreezerTest$Busy";

  private Process busy;
  private int pid;

  @BeforeEach
  void start() throws Exception {
    var classes = ThreadStatusTest.class.getProtectionDomain().getCodeSource().getLocation();
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    busy =
        new ProcessBuilder(
                java, "-XX:TieredStopAtLevel=1", "-cp", Path.of(classes.toURI()).toString(), BUSY)
            .start();
    assertThat(busy.inputReader().readLine()).isEqualTo("busy");
    pid = (int) busy.pid();
    Processes.kill(pid, Linux.SIGSTOP());
    awaitStopped();
  }

  @AfterEach
  void end() throws Exception {
    busy.destroyForcibly().waitFor();
  }

  private void awaitStopped() throws IOException {
    while (!allStopped()) {
      Thread.onSpinWait();
    }
  }

  private boolean allStopped() throws IOException {
    boolean all = true;
    for (int thread : SourceProcess.threads(pid)) {
      all &= ProcessTree.read(thread).state() == 'T';
    }
    return all;
  }

  @Test
  void sawEveryThreadStopWhenItSaysSo() throws Exception {
    try (var status = ThreadStatus.of(pid, SourceProcess.threads(pid), false, Optional.empty())) {
      for (int round = 0; round < 50; round++) {
        Processes.kill(pid, Linux.SIGCONT());
        CgroupFreezer.Watch stopping = status.stopping();
        assertThat(stopping.pid()).isEqualTo(pid);
        assertThat(stopping.stop()).isTrue();
        CgroupFreezer.Progress progress = stopping.look();
        while (progress == CgroupFreezer.Progress.RUNNING) {
          progress = stopping.look();
        }
        assertThat(progress).isEqualTo(CgroupFreezer.Progress.STOPPED);
        assertThat(allStopped()).isTrue();
      }
      assertThat(status.changed()).isEmpty();
    }
  }

  @Test
  void doesNotSpeakForThreadsThatItDoesNotKnow() throws Exception {
    List<Integer> threads = SourceProcess.threads(pid);
    try (var status =
        ThreadStatus.of(pid, threads.subList(0, threads.size() - 1), false, Optional.empty())) {
      assertThat(status.stopping().look()).isEqualTo(CgroupFreezer.Progress.UNKNOWN);
      assertThat(status.changed()).isPresent();
    }
  }

  @Test
  void stopsNobodyElseWhenTheProcessHasEnded() throws Exception {
    try (var status = ThreadStatus.of(pid, SourceProcess.threads(pid), false, Optional.empty())) {
      busy.destroyForcibly().waitFor();
      assertThat(status.stopping().stop()).isFalse();
      assertThat(status.stopping().look()).isEqualTo(CgroupFreezer.Progress.UNKNOWN);
    }
  }

  @Test
  void theStackIsAsLargeAsItsArea() throws Exception {
    try (var status = ThreadStatus.of(pid, SourceProcess.threads(pid), false, Optional.empty())) {
      long bytes = MemoryMap.read(pid).stackBytes();
      assertThat(bytes).isPositive();
      assertThat(status.stackKilobytes() << 10).isEqualTo(bytes);
    }
  }
}
