package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.net.Namespace;
import io.twinkernel.harness.net.Reaper;
import io.twinkernel.harness.net.RunDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that is ended at any moment leaves no machine, no namespace, and no tap within it. */
@Tag("machine")
final class InterruptTest {

  private static final Pattern STARTED = Pattern.compile("accelerator");
  private static final Pattern B_BOOTS = Pattern.compile("boot +control +started");
  private static final Pattern SWITCHES = Pattern.compile("switch +control +started");
  private static final Duration CLEAN_UP = Duration.ofSeconds(40);

  @TempDir Path out;
  private Set<String> before;

  @BeforeEach
  void whatOthersHave() throws IOException {
    before = remains();
  }

  @Test
  void interruptedWhileTheFirstKernelBoots() throws Exception {
    endBy("INT", STARTED, false);
  }

  @Test
  void terminatedWhileTheSecondKernelBoots() throws Exception {
    endBy("TERM", B_BOOTS, false);
  }

  /** The process inside notices that its parent is gone, ends the machine and cleans up. */
  @Test
  void killedInTheSwitch() throws Exception {
    endBy("KILL", SWITCHES, false);
  }

  /** Nobody is left to clean up: QEMU dies by itself, the rest is the next run's. */
  @Test
  void killedAltogether() throws Exception {
    endBy("KILL", STARTED, true);
  }

  private void endBy(String signal, Pattern moment, boolean everything) throws Exception {
    try (DemoProcess demo = DemoProcess.start(out)) {
      demo.await(moment);
      List<ProcessHandle> processes = awaitMachine(demo);
      assertThat(remains()).hasSizeGreaterThan(before.size());
      if (everything) {
        for (ProcessHandle process : processes) {
          if (process.info().command().orElse("").endsWith("java")) {
            DemoProcess.signal(signal, process);
          }
        }
      } else {
        DemoProcess.signal(signal, demo.handle());
      }
      for (ProcessHandle process : processes) {
        process.onExit().get(CLEAN_UP.toSeconds(), TimeUnit.SECONDS);
      }
      if (everything) {
        assertThat(Reaper.reap(RunDirectory.root())).hasSize(1);
      }
      assertThat(remains()).isEqualTo(before);
    }
  }

  /** The outer process, the inner one, and the machine. */
  private static List<ProcessHandle> awaitMachine(DemoProcess demo) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (System.nanoTime() < deadline) {
      List<ProcessHandle> processes = demo.processes();
      // QEMU runs by a loader of its own, in a folder that is named after its package.
      if (processes.stream().anyMatch(p -> p.info().command().orElse("").contains("qemu-system"))) {
        return processes;
      }
      TimeUnit.MILLISECONDS.sleep(50); // /proc tells nobody of a new process
    }
    throw new AssertionError("no machine was started:\n" + demo.output());
  }

  /** Names of run directories and namespaces. */
  private static Set<String> remains() throws IOException {
    Set<String> names = new HashSet<>();
    for (Path folder : List.of(RunDirectory.root(), Path.of("/run/netns"))) {
      if (Files.isDirectory(folder)) {
        try (Stream<Path> all = Files.list(folder)) {
          names.addAll(
              all.map(Path::toString)
                  .filter(path -> path.contains("/" + Namespace.PREFIX))
                  .collect(Collectors.toSet()));
        }
      }
    }
    return names;
  }
}
