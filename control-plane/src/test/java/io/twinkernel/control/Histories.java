package io.twinkernel.control;

import io.twinkernel.control.journal.Journal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInfo;

/**
 * Journals that releases wrote. They stand in {@code src/test/resources/histories/RELEASE}, named
 * after the state in which they end; {@code -Dhistories.record=RELEASE} writes those of a release.
 */
final class Histories {
  static final Path FOLDER = Path.of("src", "test", "resources", "histories");

  private static final Pattern PARAMETER = Pattern.compile("^\\[\\d+].*?([a-z]+)\"?$");

  private Histories() {}

  static void record(Path journals, TestInfo test) throws IOException {
    String release = System.getProperty("histories.record", "");
    if (release.isEmpty()) {
      return;
    }
    Path folder = Files.createDirectories(FOLDER.resolve(release));
    String name = test.getTestMethod().orElseThrow().getName();
    Matcher parameter = PARAMETER.matcher(test.getDisplayName());
    String variant = parameter.find() ? "-" + parameter.group(1) : "";
    for (Path file : find(journals)) {
      var state = Journal.read(file).orElseThrow().upgrade().state();
      String node = journals.relativize(file).getName(0).toString();
      Files.copy(
          file,
          folder.resolve(state + "-" + name + variant + "-" + node + ".jsonl"),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  static List<Path> find(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".jsonl")).sorted().toList();
    }
  }
}
