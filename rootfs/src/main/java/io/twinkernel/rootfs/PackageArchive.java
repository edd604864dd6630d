package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Debian's packages, as this system's mirrors have them, and what was answered about them before.
 * An answer ("these versions make up the newest 6.12") holds until the indexes are {@link
 * Apt#FRESH} old no more; without a network it holds on.
 */
final class PackageArchive {
  /** The release this project runs on. */
  static final String CODENAME = "bookworm";

  private static final Path ETC_APT = Path.of("/etc/apt");

  private final ImageCache cache;
  private final Progress progress;

  PackageArchive(ImageCache cache, Progress progress) {
    this.cache = cache;
    this.progress = progress;
  }

  /** Groups of suites that are read together. */
  enum Release {
    /** The system's own, with its updates and backports. */
    BOOKWORM,
    /** The one before it, for old kernels. */
    BULLSEYE,
    /** The one after it, for new kernels and newer programs. */
    TRIXIE,
    /** What is to become the one after that. */
    SID;

    /** The release that a recipe means by a suite's name. */
    static Optional<Release> named(String suite) {
      return Arrays.stream(values()).filter(one -> one.codename().equals(suite)).findFirst();
    }

    /** As the archive names it. */
    String codename() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Whether its programs are older than this system's C library. */
    boolean isOlder() {
      return this == BULLSEYE;
    }

    List<AptSources.Suite> suites() {
      String name = codename();
      List<String> suites =
          switch (this) {
            case BOOKWORM ->
                List.of(name, name + "-updates", name + "-security", name + "-backports");
            case BULLSEYE -> List.of(name, name + "-security");
            case TRIXIE -> List.of(name, name + "-security", name + "-backports");
            case SID -> List.of(name);
          };
      return suites.stream().map(AptSources.Suite::new).toList();
    }

    /** Kernels from backports need other packages from there; programs come from the release. */
    String preferences() {
      return this == TRIXIE ? "Package: *\nPin: release a=*-backports\nPin-Priority: 500\n" : "";
    }
  }

  /** Works out names of packages from the indexes. */
  @FunctionalInterface
  interface Chooser {
    List<String> choose(Apt apt) throws RootfsException, InterruptedException;
  }

  /** Asks the indexes something. */
  @FunctionalInterface
  interface Question<T> {
    T ask(Apt apt) throws RootfsException, InterruptedException;
  }

  /**
   * The newest versions of the packages that the chooser names.
   *
   * @param question what is asked, a plain word: answers are kept under it
   */
  List<DebianPackage> resolve(Release release, String question, Chooser chooser)
      throws IOException, RootfsException, InterruptedException {
    return cache.locked(
        "apt-" + release,
        () -> {
          Apt apt = open(release);
          Path answer = folder(release).resolve("answer-" + question);
          Optional<List<DebianPackage>> known = read(answer);
          if (apt.isFresh(Instant.now()) && known.isPresent()) {
            return known.get();
          }
          if (!apt.isFresh(Instant.now())) {
            try {
              refresh(release, apt);
            } catch (RootfsException e) {
              if (known.isEmpty()) {
                throw e;
              }
              write(answer, known.get());
              return known.get();
            }
          }
          List<DebianPackage> found = apt.locate(chooser.choose(apt));
          write(answer, found);
          return found;
        });
  }

  /** What a question to the newest indexes is answered; the answer is not kept. */
  <T> T ask(Release release, Question<T> question)
      throws IOException, RootfsException, InterruptedException {
    return cache.locked(
        "apt-" + release,
        () -> {
          Apt apt = open(release);
          if (!apt.isFresh(Instant.now())) {
            refresh(release, apt);
          }
          return question.ask(apt);
        });
  }

  private void refresh(Release release, Apt apt)
      throws IOException, RootfsException, InterruptedException {
    progress.step(
        "package indexes of " + release.codename(),
        () -> {
          apt.refresh();
          forget(release);
          return release;
        });
  }

  /** Downloads and unpacks packages that were resolved before. */
  void unpack(Release release, List<DebianPackage> packages, Path into)
      throws IOException, RootfsException, InterruptedException {
    Apt apt = open(release);
    cache.locked(
        "apt-" + release,
        () -> {
          if (!apt.hasIndexes()) {
            apt.refresh();
          }
          apt.unpack(packages, into);
          return into;
        });
  }

  /** Makes the next question fetch the indexes anew. Answers stay, for when there is no network. */
  static void outdate(ImageCache cache) throws IOException {
    for (Release release : Release.values()) {
      Apt.outdate(folder(cache, release));
    }
  }

  private Path folder(Release release) {
    return folder(cache, release);
  }

  private static Path folder(ImageCache cache, Release release) {
    return cache.root().resolve("apt").resolve(release.codename());
  }

  private Apt open(Release release) throws IOException, RootfsException {
    return Apt.in(
        folder(release),
        AptSources.read(ETC_APT, CODENAME),
        release.suites(),
        release.preferences());
  }

  private void forget(Release release) throws IOException {
    try (var files = Files.newDirectoryStream(folder(release), "answer-*")) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }

  private static Optional<List<DebianPackage>> read(Path answer) throws IOException {
    if (!Files.exists(answer)) {
      return Optional.empty();
    }
    List<DebianPackage> packages =
        Files.readAllLines(answer).stream()
            .map(DebianPackage::parse)
            .flatMap(Optional::stream)
            .toList();
    return packages.isEmpty() ? Optional.empty() : Optional.of(packages);
  }

  private static void write(Path answer, List<DebianPackage> packages) throws IOException {
    Files.write(answer, packages.stream().map(DebianPackage::line).toList());
  }
}
