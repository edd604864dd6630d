package io.twinkernel.broker.plan;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Puts parts of a real system's /proc and /sys, kept in a resource, below a directory. */
public final class CapturedTree {

  private CapturedTree() {}

  /** Writes the tree of a guest and returns its root. */
  public static Path in(Path root) throws IOException {
    return in(root, CapturedTree.class, "guest.txt");
  }

  /** Writes the tree of a resource beside a class and returns its root. */
  public static Path in(Path root, Class<?> beside, String resource) throws IOException {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(beside.getResourceAsStream(resource)), UTF_8))) {
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
