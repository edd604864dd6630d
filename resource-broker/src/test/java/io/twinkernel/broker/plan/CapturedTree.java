package io.twinkernel.broker.plan;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Puts /proc and /sys of a real guest, kept in {@code guest.txt}, below a directory. */
public final class CapturedTree {

  private CapturedTree() {}

  /** Writes the tree and returns its root. */
  public static Path in(Path root) throws IOException {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(CapturedTree.class.getResourceAsStream("guest.txt")),
                UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.split(" ", 3);
        if (words[0].equals("#")) {
          continue;
        }
        Path path = root.resolve(words[1].substring(1));
        Files.createDirectories(path.getParent());
        if (words[0].equals("LINK")) {
          Files.createSymbolicLink(path, Path.of(words[2]));
        } else {
          Files.writeString(path, words[2].translateEscapes());
        }
      }
    }
    return root;
  }
}
