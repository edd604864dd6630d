package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * What was downloaded and built, kept outside the checkout. An entry is a folder under {@code
 * KIND/KEY}; its key says what went into it, so an entry is never changed, only made or dropped.
 *
 * <ul>
 *   <li>An entry appears under its name in one step (rename): a reader never sees half of one.
 *   <li>Two builders, in one JVM or in two, may want the same entry at once: one builds, the other
 *       waits on a file lock and then finds it.
 *   <li>Each entry lists the SHA-256 of its files in {@value #MANIFEST}. Opening one checks them;
 *       an entry that does not match is built anew.
 * </ul>
 */
public final class ImageCache {
  static final String MANIFEST = ".sha256";

  /** How long an entry that is not opened stays. */
  static final Duration KEPT = Duration.ofDays(14);

  private static final Map<Path, ReentrantLock> IN_THIS_JVM = new ConcurrentHashMap<>();

  private final Path root;

  private ImageCache(Path root) {
    this.root = root;
  }

  /** Makes the contents of an entry in an empty folder. */
  @FunctionalInterface
  interface Filler {
    void fill(Path folder) throws IOException, RootfsException, InterruptedException;
  }

  /**
   * The cache of this user: {@code $TWIN_CACHE}, else {@code $XDG_CACHE_HOME/twinkernel}, else
   * {@code ~/.cache/twinkernel}.
   */
  public static ImageCache standard() throws RootfsException {
    return at(standardRoot(System.getenv(), Path.of(System.getProperty("user.home"))));
  }

  static Path standardRoot(Map<String, String> environment, Path home) {
    String own = environment.getOrDefault("TWIN_CACHE", "");
    String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
    if (!own.isEmpty()) {
      return Path.of(own).toAbsolutePath();
    }
    return (xdg.isEmpty() ? home.resolve(".cache") : Path.of(xdg)).resolve("twinkernel");
  }

  /** A cache in the given folder, which is made if it is not there. */
  public static ImageCache at(Path root) throws RootfsException {
    try {
      for (String part : List.of("tmp", "locks")) {
        Files.createDirectories(root.resolve(part));
      }
    } catch (IOException e) {
      throw new RootfsException(
              RootfsException.Code.CACHE,
              "cannot use the cache folder " + root,
              String.valueOf(e),
              "Set TWIN_CACHE to a folder that can be written.")
          .causedBy(e);
    }
    return new ImageCache(root);
  }

  public Path root() {
    return root;
  }

  /** The entry's folder, built first if it is not there or is damaged. */
  Path entry(String kind, String key, Filler filler)
      throws IOException, RootfsException, InterruptedException {
    return locked(kind + "-" + key, () -> intactOrBuilt(kind, key, filler));
  }

  private Path intactOrBuilt(String kind, String key, Filler filler)
      throws IOException, RootfsException, InterruptedException {
    Path entry = root.resolve(kind).resolve(key);
    if (Files.isDirectory(entry) && isIntact(entry)) {
      Files.setLastModifiedTime(entry, FileTime.from(Instant.now()));
      return entry;
    }
    delete(entry);
    Path building = root.resolve("tmp").resolve(kind + "-" + key);
    delete(building); // left by a builder that was killed: the lock says that it is gone
    Files.createDirectories(building);
    try {
      filler.fill(building);
      writeManifest(building);
      Files.createDirectories(entry.getParent());
      Files.move(building, entry, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      delete(building);
    }
    dropUnused(entry.resolveSibling(""));
    return entry;
  }

  /** Drops the entries of a kind that nobody has opened for long: each change makes new ones. */
  private static void dropUnused(Path kind) throws IOException {
    Instant limit = Instant.now().minus(KEPT);
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(kind)) {
      for (Path entry : entries) {
        if (Files.getLastModifiedTime(entry).toInstant().isBefore(limit)) {
          delete(entry);
        }
      }
    }
  }

  /** Runs the work while no other builder, in any process, holds the lock of that name. */
  <T> T locked(String name, Progress.Work<T> work)
      throws IOException, RootfsException, InterruptedException {
    Path file = root.resolve("locks").resolve(name);
    ReentrantLock here = IN_THIS_JVM.computeIfAbsent(file, path -> new ReentrantLock());
    here.lockInterruptibly();
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      if (!lock.isValid()) {
        throw new IOException("the lock on " + file + " was lost");
      }
      return work.run();
    } finally {
      here.unlock();
    }
  }

  private static boolean isIntact(Path entry) throws IOException {
    Path manifest = entry.resolve(MANIFEST);
    if (!Files.isRegularFile(manifest)) {
      return false;
    }
    for (String line : Files.readAllLines(manifest)) {
      Path file = entry.resolve(line.substring(66));
      try {
        if (!Digest.of(file).equals(line.substring(0, 64))) {
          return false;
        }
      } catch (NoSuchFileException e) {
        return false;
      }
    }
    return true;
  }

  private static void writeManifest(Path folder) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Path file : files(folder)) {
      lines.append(Digest.of(file)).append("  ").append(folder.relativize(file)).append('\n');
    }
    Files.writeString(folder.resolve(MANIFEST), lines);
  }

  /** All regular files below a folder, sorted by path. */
  static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
          .sorted()
          .toList();
    }
  }

  /** Deletes a folder and all below it; nothing happens if there is none. */
  static void delete(Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path path, @org.jspecify.annotations.Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(path);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
