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

  private static String offsetsSeenWith(ClockOffsets offsets) throws Exception {
    Process shell =
        TimeNamespace.start(new ProcessBuilder("cat", "/proc/self/timens_offsets"), offsets);
    try (var output = shell.getInputStream()) {
      return new String(output.readAllBytes(), StandardCharsets.US_ASCII);
    }
  }
}
