package io.twinkernel.broker.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Real shells in real namespaces; they need root. */
final class TimeNamespaceTest {
  private static final int AT_ONCE = 20;
  private static final int STARTS = 100;
  private static final long NANOS = 1_000_000_000;

  /** Many at once, so that they are taken hold of at different moments. */
  @Test
  void setsTheClocksOfManyAtOnce() throws Exception {
    try (var starters = Executors.newFixedThreadPool(AT_ONCE)) {
      var starts = new ArrayList<Callable<String>>();
      for (int i = 0; i < STARTS; i++) {
        long seconds = 1000L + i;
        starts.add(() -> offsetsSeenWith(new ClockOffsets(seconds * NANOS + 5, -seconds)));
      }
      int i = 0;
      for (Future<String> seen : starters.invokeAll(starts)) {
        assertThat(seen.get().lines().map(line -> line.strip().replaceAll("\\s+", " ")))
            .containsExactly("monotonic " + (1000 + i) + " 5", "boottime -1 " + (NANOS - 1000 - i));
        i++;
      }
    }
  }

  @Test
  void aProgramJoinsTheClocksOfAProcess() throws Exception {
    Process first =
        TimeNamespace.start(
            new ProcessBuilder("sh", "-c", "echo $$; exec sleep 60"), new ClockOffsets(NANOS, 7));
    try (var output = first.inputReader(StandardCharsets.US_ASCII)) {
      int pid = Integer.parseInt(output.readLine());
      assertThat(TimeNamespace.name(pid)).isNotEqualTo(TimeNamespace.name(own()));
      Process second =
          TimeNamespace.startIn(
              new ProcessBuilder("sh", "-c", "readlink /proc/self/ns/time; ls /proc/self/fd"), pid);
      try (var seen = second.inputReader(StandardCharsets.US_ASCII)) {
        assertThat(seen.readLine()).isEqualTo(TimeNamespace.name(pid));
        assertThat(seen.lines())
            .as("the namespace's own is closed")
            .containsExactly("0", "1", "2", "3");
      }
      assertThat(TimeNamespace.of(pid)).isEqualTo(new ClockOffsets(NANOS, 7));
    } finally {
      first.descendants().forEach(ProcessHandle::destroyForcibly);
      first.destroyForcibly();
    }
  }

  private static int own() {
    return (int) ProcessHandle.current().pid();
  }

  private static String offsetsSeenWith(ClockOffsets offsets) throws Exception {
    Process shell =
        TimeNamespace.start(new ProcessBuilder("cat", "/proc/self/timens_offsets"), offsets);
    try (var output = shell.getInputStream()) {
      return new String(output.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }
}
