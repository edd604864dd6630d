package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * apt with a configuration of its own: other suites than the system's, its own indexes, and a
 * status file that says that nothing is installed. apt checks the indexes' signatures and each
 * package's hash; the system's own state is neither read nor changed.
 */
final class Apt {
  /** Indexes older than this are fetched again before "the newest" is answered. */
  static final Duration FRESH = Duration.ofHours(24);

  private static final String STAMP = "refreshed";

  private final Path folder;
  private final List<String> options;

  private Apt(Path folder) {
    this.folder = folder;
    this.options =
        List.of(
            "-qq",
            "-o",
            "Dir::Etc::sourcelist=/dev/null",
            "-o",
            "Dir::Etc::sourceparts=" + folder.resolve("sources"),
            "-o",
            "Dir::Etc::preferences=" + folder.resolve("preferences"),
            "-o",
            "Dir::Etc::preferencesparts=/dev/null",
            "-o",
            "Dir::State=" + folder.resolve("state"),
            "-o",
            "Dir::State::lists=" + folder.resolve("lists"),
            "-o",
            "Dir::State::status=" + folder.resolve("status"),
            "-o",
            "Dir::Cache=" + folder.resolve("cache"),
            "-o",
            "Acquire::Languages=none",
            "-o",
            "Acquire::Retries=3",
            "-o",
            "APT::Sandbox::User=root");
  }

  /**
   * Sets it up below a folder; no package is looked at yet.
   *
   * @param preferences in the format of apt_preferences(5)
   */
  static Apt in(Path folder, AptSources sources, List<AptSources.Suite> suites, String preferences)
      throws IOException {
    for (String part : List.of("sources", "state", "lists/partial", "cache/archives/partial")) {
      Files.createDirectories(folder.resolve(part));
    }
    if (!Files.exists(folder.resolve("status"))) {
      Files.createFile(folder.resolve("status"));
    }
    Files.writeString(folder.resolve("preferences"), preferences);
    Path file = folder.resolve("sources/debian.sources");
    String text = sources.forSuites(suites);
    if (!Files.exists(file) || !Files.readString(file).equals(text)) {
      Files.writeString(file, text);
      Files.deleteIfExists(folder.resolve(STAMP));
    }
    return new Apt(folder);
  }

  /** Makes the indexes below a folder count as old. */
  static void outdate(Path folder) throws IOException {
    Path stamp = folder.resolve(STAMP);
    if (Files.exists(stamp)) {
      Files.setLastModifiedTime(stamp, FileTime.from(Instant.EPOCH));
    }
  }

  /** Whether the indexes are young enough. */
  boolean isFresh(Instant now) throws IOException {
    Path stamp = folder.resolve(STAMP);
    return Files.exists(stamp)
        && Files.getLastModifiedTime(stamp).toInstant().isAfter(now.minus(FRESH));
  }

  boolean hasIndexes() {
    return Files.exists(folder.resolve(STAMP));
  }

  /** Fetches the indexes and checks their signatures. */
  void refresh() throws IOException, RootfsException, InterruptedException {
    // Without this, apt reports a mirror that does not answer as a warning and exits with 0.
    Command.Result result =
        Command.attempt(
            folder, Map.of(), words("apt-get", "-o", "APT::Update::Error-Mode=any", "update"));
    if (result.status() != 0) {
      throw new RootfsException(
          RootfsException.Code.NETWORK,
          "cannot fetch the package indexes",
          result.tail(),
          "Check that `apt-get update` works on this system: its mirrors and keys are used.");
    }
    Files.writeString(folder.resolve(STAMP), Instant.now().toString());
  }

  /** Names of the packages that begin so. */
  List<String> names(String prefix) throws RootfsException, InterruptedException {
    return Command.run(folder, Map.of(), words("apt-cache", "pkgnames", prefix)).lines();
  }

  /** The newest version of each package, as the indexes have it. */
  List<DebianPackage> locate(List<String> names) throws RootfsException, InterruptedException {
    List<String> words = new ArrayList<>(words("apt-get", "download", "--print-uris"));
    words.addAll(names);
    List<DebianPackage> found =
        Command.run(folder, Map.of(), words).lines().stream()
            .map(DebianPackage::parse)
            .flatMap(Optional::stream)
            .toList();
    if (found.size() != names.size()) {
      throw new RootfsException(
          RootfsException.Code.RECIPE,
          "packages not found",
          "apt knows " + found.size() + " of " + names,
          "Run ./twin setup to fetch the indexes again.");
    }
    return found;
  }

  /** What installing these packages on an empty system would bring, themselves included. */
  List<String> closure(List<String> names) throws RootfsException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            words("apt-get", "install", "-y", "--no-install-recommends", "--print-uris"));
    words.addAll(names);
    return Command.run(folder, Map.of(), words).lines().stream()
        .filter(line -> line.startsWith("'"))
        .map(line -> line.substring(line.indexOf(' ') + 1))
        .map(line -> line.substring(0, line.indexOf('_')))
        .toList();
  }

  /** Downloads the packages, checks their hashes, and unpacks them all into one folder. */
  void unpack(List<DebianPackage> packages, Path into)
      throws IOException, RootfsException, InterruptedException {
    Path debs = into.resolveSibling(into.getFileName() + ".debs");
    ImageCache.delete(debs);
    Files.createDirectories(debs);
    try {
      List<String> words = new ArrayList<>(words("apt-get", "download"));
      packages.forEach(one -> words.add(one.name() + "=" + one.version()));
      Command.Result result = Command.attempt(debs, Map.of(), words);
      if (result.status() != 0) {
        throw new RootfsException(
            RootfsException.Code.NETWORK,
            "cannot download " + packages.stream().map(DebianPackage::name).toList(),
            result.tail(),
            "Check that this system's mirrors answer (`apt-get update`) and run ./twin setup.");
      }
      for (DebianPackage one : packages) {
        Path deb = debs.resolve(one.file());
        if (!Digest.of(deb).equals(one.sha256())) {
          throw new RootfsException(
              RootfsException.Code.NETWORK,
              "downloaded " + one.file() + " is damaged",
              "its SHA-256 is not the one in the signed index",
              "Run ./twin setup to fetch it again.");
        }
        Command.run(debs, "dpkg-deb", "-x", deb.toString(), into.toString());
      }
    } finally {
      ImageCache.delete(debs);
    }
  }

  private List<String> words(String program, String... arguments) {
    List<String> words = new ArrayList<>(List.of(program));
    words.addAll(options);
    words.addAll(List.of(arguments));
    return words;
  }
}
