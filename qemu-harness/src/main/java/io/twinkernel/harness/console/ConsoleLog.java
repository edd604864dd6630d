package io.twinkernel.harness.console;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** What a console has printed, from the file that QEMU keeps of it. */
public final class ConsoleLog {

  /** Nothing, or a shell's prompt and nothing. */
  private static final Pattern EMPTY = Pattern.compile("\\s*(/ #)?\\s*");

  private ConsoleLog() {}

  /** The last lines, for an error message, without what {@link ConsoleSession}s asked. */
  public static String tail(Path log, int lines) {
    try {
      String text = new String(Files.readAllBytes(log), StandardCharsets.ISO_8859_1);
      List<String> all =
          withoutSessions(text.replaceAll("\u001b\\[[0-9;]*[A-Za-z]", "").lines().toList());
      return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
    } catch (IOException unreadable) {
      return "(nothing was recorded: " + unreadable.getMessage() + ")";
    }
  }

  private static List<String> withoutSessions(List<String> lines) {
    List<String> kept = new ArrayList<>();
    boolean inside = false;
    for (String line : lines) {
      if (line.contains(ConsoleSession.TYPED)) {
        inside = true;
      }
      if (!inside && !EMPTY.matcher(line).matches()) {
        kept.add(line);
      }
      if (ConsoleSession.ENDED.matcher(line.strip()).matches()) {
        inside = false;
      }
    }
    return kept;
  }
}
