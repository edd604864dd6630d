package io.twinkernel.harness.console;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a console has printed, from the file that QEMU keeps of it. */
public final class ConsoleLog {

  private ConsoleLog() {}

  /** The last lines, for an error message. */
  public static String tail(Path log, int lines) {
    try {
      List<String> all =
          new String(Files.readAllBytes(log), StandardCharsets.ISO_8859_1).lines().toList();
      return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
    } catch (IOException unreadable) {
      return "(nothing was recorded: " + unreadable.getMessage() + ")";
    }
  }
}
