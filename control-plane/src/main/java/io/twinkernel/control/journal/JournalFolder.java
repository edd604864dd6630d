package io.twinkernel.control.journal;

import io.twinkernel.control.upgrade.Entry;
import io.twinkernel.control.upgrade.Upgrade;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A control plane's journals: {@code NODE/UPGRADE.jsonl}, and a lock against a second user. */
public final class JournalFolder implements AutoCloseable {
  private static final String SUFFIX = ".jsonl";

  private final Path folder;
  private final FileChannel lock;

  private JournalFolder(Path folder, FileChannel lock) {
    this.folder = folder;
    this.lock = lock;
  }

  /** Takes the folder, which is made if there is none. */
  public static JournalFolder open(Path folder) throws IOException {
    Files.createDirectories(folder);
    Path file = folder.resolve("lock");
    var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!locked(channel)) {
      channel.close();
      throw new JournalException(
          folder, "another control plane uses it", "Stop that one, or give another folder");
    }
    return new JournalFolder(folder, channel);
  }

  private static boolean locked(FileChannel channel) throws IOException {
    try {
      @Nullable FileLock taken = channel.tryLock();
      return taken != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** Starts the journal of a new upgrade. */
  public Journal create(Entry.Requested first) throws IOException {
    return Journal.create(folder, name(first.request().node(), first.upgrade()), first);
  }

  /** Opens the journal of an upgrade that was read, to go on with it. */
  public Journal reopen(Upgrade upgrade) throws IOException {
    return Journal.open(folder.resolve(name(upgrade.request().node(), upgrade.id())));
  }

  /**
   * All upgrades, oldest first.
   *
   * @throws JournalException if one is damaged
   */
  public List<Journal.Contents> readAll() throws IOException {
    var all = new ArrayList<Journal.Contents>();
    for (Path file : files()) {
      Journal.read(file).ifPresent(all::add);
    }
    all.sort(
        Comparator.comparingLong((Journal.Contents contents) -> contents.upgrade().createdMs()));
    return List.copyOf(all);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> found =
        Files.find(folder, 2, (path, _) -> path.toString().endsWith(SUFFIX))) {
      return found.sorted().toList();
    }
  }

  private static Path name(String node, String upgrade) {
    return Path.of(node, upgrade + SUFFIX);
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
