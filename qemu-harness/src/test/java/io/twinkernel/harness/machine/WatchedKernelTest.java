package io.twinkernel.harness.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kernels that watch themselves (lockdep, KASAN) have nothing to say while a twin is undone,
 * panics, and takes over. {@code -Dtwin.test.watched=BZIMAGE:MODULES}, as
 * kernel-patches/build-kernel made it with config/debug.config; it is both A and B.
 */
@Tag("machine")
@EnabledIfSystemProperty(named = "twin.test.watched", matches = ".+")
final class WatchedKernelTest {

  private static final String WATCHES =
      "dmesg | grep -o 'KernelAddressSanitizer initialized' | head -n 1;"
          + " grep debug_locks: /proc/lockdep_stats | tr -s ' '";

  private static final String PANIC = "sh -c '(sleep 1; echo c >/proc/sysrq-trigger) &'";

  @TempDir Path folder;

  @Test
  void hasNothingToSayOfATwinThatIsUndoneOrPanicsOrTakesOver() throws Exception {
    String kernel = System.getProperty("twin.test.watched", "");
    List<String> said = new ArrayList<>();
    SoftAssertions soft = new SoftAssertions();
    try (TestNode node =
        TestNode.start(folder, Map.of(), kernel, kernel, "ignore_loglevel", List.of())) {
      said.add("A up: " + node.onA(WATCHES));

      String undone = node.boot();
      said.add("B up: " + node.onB(WATCHES));
      soft.assertThat(node.onB(Splats.COMMAND)).as("B, up").isEmpty();
      node.rollBack(undone);
      soft.assertThat(Splats.in(node.consoleA())).as("A, after the rollback").isEmpty();

      String panicked = node.boot();
      soft.assertThat(node.onB(Splats.COMMAND)).as("B, before its panic").isEmpty();
      node.onB(PANIC);
      node.await("the end", () -> node.upgrade(panicked).path("terminal").asBoolean());
      soft.assertThat(node.upgrade(panicked).path("state").asText()).isEqualTo("ROLLED_BACK");
      soft.assertThat(Splats.in(node.consoleA())).as("A, after B's panic").isEmpty();
      said.add("A again: " + node.onA(WATCHES));

      soft.assertThat(node.finish(node.boot())).isEqualTo("COMPLETE");
      soft.assertThat(node.onB(Splats.COMMAND)).as("B, with the machine its own").isEmpty();
      soft.assertThat(Splats.in(node.consoleA())).as("A, parked").isEmpty();
      said.add("B at the end: " + node.onB(WATCHES + "; nproc; grep MemTotal /proc/meminfo"));
    } finally {
      said.forEach(System.out::println);
      soft.assertAll();
    }
    assertThat(said)
        .hasSize(4)
        .allSatisfy(one -> assertThat(one).contains("initialized", "debug_locks: 1"));
  }
}
