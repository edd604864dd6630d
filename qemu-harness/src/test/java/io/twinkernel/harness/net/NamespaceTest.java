package io.twinkernel.harness.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.harness.HarnessException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real namespaces: needs root, as every run does. */
final class NamespaceTest {

  @TempDir Path root;

  private static Process inside(Namespace namespace, String... command) throws Exception {
    List<String> line = new ArrayList<>(namespace.enter());
    line.addAll(List.of(command));
    return new ProcessBuilder(line).redirectErrorStream(true).start();
  }

  private static String output(Process process) throws Exception {
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return text;
  }

  @Test
  void twoRunsHaveTheSameAddressesSideBySide() throws Exception {
    RunDirectory one = RunDirectory.create(root);
    RunDirectory other = RunDirectory.create(root);
    try {
      one.namespace().create();
      other.namespace().create();
      for (RunDirectory run : List.of(one, other)) {
        assertThat(output(inside(run.namespace(), "ip", "-brief", "address")))
            .contains(Namespace.BRIDGE, Namespace.HOST + "/24", "127.0.0.1");
      }
      assertThat(output(new ProcessBuilder("ip", "link").start())).doesNotContain(Namespace.BRIDGE);
      assertThatThrownBy(() -> one.namespace().create())
          .isInstanceOf(HarnessException.Machine.class)
          .hasMessageContaining(one.namespace().name());
    } finally {
      one.namespace().delete();
      other.namespace().delete();
    }
    assertThat(one.namespace().exists()).isFalse();
    one.namespace().delete();
  }

  @Test
  void theReaperCleansUpAfterADeadRunAndLeavesALiveOne() throws Exception {
    RunDirectory live = RunDirectory.create(root);
    RunDirectory dead = RunDirectory.create(root);
    live.namespace().create();
    dead.namespace().create();
    Process ofLive = inside(live.namespace(), "sleep", "60");
    Process ofDead = inside(dead.namespace(), "sleep", "60");
    try {
      Process ended = new ProcessBuilder("true").start();
      long pid = ended.pid();
      ended.waitFor();
      Files.writeString(dead.path().resolve("owner"), pid + " 1\n");

      assertThat(Reaper.reap(root)).containsExactly(dead.namespace().name());
      assertThat(ofDead.waitFor(5, TimeUnit.SECONDS)).isTrue();
      assertThat(dead.namespace().exists()).isFalse();
      assertThat(dead.path()).doesNotExist();
      assertThat(ofLive.isAlive()).isTrue();
      assertThat(live.namespace().exists()).isTrue();
      assertThat(RunDirectory.alive(root)).containsExactly(live);
      assertThat(Reaper.reap(root)).isEmpty();
    } finally {
      ofLive.destroyForcibly();
      ofDead.destroyForcibly();
      live.namespace().delete();
      dead.namespace().delete();
    }
  }

  /** A number that was given to another process since is not the owner. */
  @Test
  void anotherProcessWithTheSameNumberIsNotTheOwner() throws Exception {
    Owner self = Owner.self();
    assertThat(self.alive()).isTrue();
    assertThat(new Owner(self.pid(), self.startTicks() + 1).alive()).isFalse();
    assertThat(Owner.parse(self.text())).isEqualTo(self);
  }
}
