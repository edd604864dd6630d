package io.twinkernel.harness.net;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A process, told apart from a later one with the same number by when it started.
 *
 * @param pid process number
 * @param startTicks field 22 of /proc/PID/stat, clock ticks since boot (proc_pid_stat(5))
 */
public record Owner(long pid, long startTicks) {

  private static final int START_TIME_AFTER_NAME = 19;

  /** This process. */
  public static Owner self() throws IOException {
    long pid = ProcessHandle.current().pid();
    return new Owner(pid, startTicks(pid));
  }

  static Owner parse(String text) throws IOException {
    String[] words = text.strip().split(" ", -1);
    try {
      return new Owner(Long.parseLong(words[0]), Long.parseLong(words[1]));
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException damaged) {
      throw new IOException("'" + text + "' does not say whose run this is", damaged);
    }
  }

  String text() {
    return pid + " " + startTicks + "\n";
  }

  /** Whether that very process still runs. */
  public boolean alive() {
    try {
      return startTicks(pid) == startTicks;
    } catch (IOException gone) {
      return false;
    }
  }

  private static long startTicks(long pid) throws IOException {
    String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
    // The name in parentheses may itself hold blanks and parentheses.
    String[] rest = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return Long.parseLong(rest[START_TIME_AFTER_NAME]);
  }
}
