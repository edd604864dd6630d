package io.twinkernel.broker.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against real processes that do not hold still. */
class ProcReaderTest {
  private static final Duration LONG_ENOUGH = Duration.ofMillis(1500);

  private final ProcReader reader = new ProcReader(Path.of("/proc"));

  @Test
  void leavesOutDescriptorsThatAreClosedWhileTheyAreRead() throws Exception {
    Process shell = shell("while :; do exec 5</dev/null; exec 5<&-; done");
    try {
      int looks = 0;
      for (long end = end(); System.nanoTime() - end < 0; looks++) {
        List<Descriptor> descriptors = reader.descriptors((int) shell.pid());
        assertThat(descriptors).extracting(Descriptor::number).contains(0, 1, 2);
      }
      assertThat(looks).isPositive();
    } finally {
      shell.destroyForcibly().waitFor();
    }
  }

  @Test
  void saysOfNoFileThatItIsEmptyBecauseItIsBeingClosed(@TempDir Path work) throws Exception {
    Path file = Files.write(work.resolve("data"), new byte[4711]);
    Path other = Files.write(work.resolve("other"), new byte[15]);
    Process shell =
        shell(
            "while :; do exec 5<%1$s; exec 5<&-; exec 5<%2$s; exec 5<&-; done"
                .formatted(file, other));
    try {
      int found = 0;
      for (long end = end(); System.nanoTime() - end < 0; ) {
        for (Descriptor descriptor : reader.descriptors((int) shell.pid())) {
          if (descriptor.number() == 5) {
            assertThat(descriptor.bytes())
                .as(descriptor.target())
                .isEqualTo(descriptor.target().equals(file.toString()) ? 4711 : 15);
            found++;
          }
        }
      }
      assertThat(found).isPositive();
    } finally {
      shell.destroyForcibly().waitFor();
    }
  }

  @Test
  void leavesOutProcessesThatEndWhileTheyAreRead() throws Exception {
    Process shell = shell("while :; do (exec 5</dev/null); done");
    try {
      int children = 0;
      for (long end = end(); System.nanoTime() - end < 0; ) {
        for (ProcessHandle child : shell.children().toList()) {
          int pid = (int) child.pid();
          reader.descriptors(pid);
          reader.mappings(pid);
          reader.targets(pid);
          reader.imageBytes(pid);
          children++;
        }
      }
      assertThat(children).isPositive();
    } finally {
      shell.destroyForcibly().waitFor();
    }
  }

  @Test
  void whoHasEndedAndWaitsForItsParentSeesNoMounts() throws Exception {
    Process parent = shell("true & exec sleep 60");
    try {
      ProcessHandle child = null;
      while (child == null) {
        child =
            parent
                .children()
                .filter(one -> stat((int) one.pid()).contains(") Z"))
                .findFirst()
                .orElse(null);
      }
      assertThat(reader.mounts((int) child.pid())).isEmpty();
      assertThat(reader.mounts((int) parent.pid())).isNotEmpty();
    } finally {
      parent.destroyForcibly().waitFor();
    }
  }

  private static String stat(int pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/stat"));
    } catch (IOException e) {
      return "";
    }
  }

  private static Process shell(String script) throws IOException {
    return new ProcessBuilder("/bin/sh", "-c", script).start();
  }

  private static long end() {
    return System.nanoTime() + LONG_ENOUGH.toNanos();
  }
}
