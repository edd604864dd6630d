package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class MappedFilesTest {
  /** A program that has just begun has run little of what it has mapped. */
  @Test
  void aProcessHasItsProgramsPagesBeforeItRuns() throws Exception {
    try (Canary canary = Canary.hatch()) {
      int pid = canary.pid();
      long before = resident(pid);
      MappedFiles.populate(pid);
      long after = resident(pid);
      assertThat(after).isGreaterThan(before);
      MappedFiles.populate(pid);
      assertThat(resident(pid)).isEqualTo(after);
    }
  }

  /** KiB of files that it has mapped without leave to write. */
  private static long resident(int pid) throws Exception {
    long sum = 0;
    boolean counts = false;
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        counts = line.matches("\\S+ r-.p \\S+ \\S+ \\S+ +/.*");
      } else if (counts && line.startsWith("Rss:")) {
        sum += Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    return sum;
  }
}
