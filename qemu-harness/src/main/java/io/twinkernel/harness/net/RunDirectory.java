package io.twinkernel.harness.net;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * The short-lived files of one run: sockets, console logs, the file {@code owner} that names the
 * process whose run it is. Its last path component is the network namespace's name.
 *
 * @param path the directory
 */
public record RunDirectory(Path path) {

  private static final String OWNER = "owner";

  /** Where runs are: /run/twinkernel, gone with a reboot as their namespaces are. */
  public static Path root() {
    return Path.of("/run/twinkernel");
  }

  /** A new one, owned by this process. */
  public static RunDirectory create(Path root) throws HarnessException {
    byte[] suffix = new byte[3];
    new SecureRandom().nextBytes(suffix);
    Path path = root.resolve(Namespace.PREFIX + HexFormat.of().formatHex(suffix));
    try {
      Files.createDirectories(root);
      Files.createDirectory(path);
      Files.writeString(path.resolve(OWNER), Owner.self().text());
      return new RunDirectory(path);
    } catch (IOException failure) {
      throw new HarnessException.Refused(
          "the run's directory " + path + " cannot be made: " + failure,
          "Run as root, on a machine with space under " + root + ".");
    }
  }

  /** Those whose owner still runs. */
  public static List<RunDirectory> alive(Path root) throws IOException {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    List<RunDirectory> alive = new ArrayList<>();
    try (Stream<Path> runs = Files.list(root)) {
      for (Path path : runs.sorted().toList()) {
        RunDirectory run = new RunDirectory(path);
        if (Files.exists(path.resolve(OWNER)) && run.owner().alive()) {
          alive.add(run);
        }
      }
    }
    return alive;
  }

  public Namespace namespace() {
    return new Namespace(path.getFileName().toString());
  }

  /** The process whose run this is. */
  public Owner owner() throws IOException {
    return Owner.parse(Files.readString(path.resolve(OWNER)));
  }

  /** Removes it with all that is in it. */
  public void delete() throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> all = Files.walk(path)) {
      for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
