package io.twinkernel.control.journal;

import io.twinkernel.control.upgrade.Entry;
import io.twinkernel.control.upgrade.Upgrade;
import io.twinkernel.control.upgrade.UpgradeEvent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The journal of one upgrade: a file to which {@link Line}s are appended and flushed to the disk
 * before what they announce is done.
 *
 * <p>A crash may cut the last line short: what does not end with a line feed was never acted upon,
 * and is cut off when the journal is opened. Everything before it must read well; if it does not,
 * the file was damaged later, and is refused.
 */
public final class Journal implements AutoCloseable {

  /** What a journal says. */
  public record Contents(Upgrade upgrade, List<UpgradeEvent> events) {}

  private final Path file;
  private final FileChannel channel;
  private long length;

  private Journal(Path file, FileChannel channel, long length) {
    this.file = file;
    this.channel = channel;
    this.length = length;
  }

  /**
   * A new journal that begins with that entry; on disk, its name included, when this returns.
   *
   * @param name NODE/FILE within the root
   */
  static Journal create(Path root, Path name, Entry.Requested first) throws IOException {
    Path file = root.resolve(name);
    Path folder = root.resolve(name.subpath(0, name.getNameCount() - 1));
    try {
      Files.createDirectories(folder);
      return createIn(folder, file, root, first);
    } catch (JournalException e) {
      throw e;
    } catch (IOException e) {
      throw new JournalException(
          file, "cannot be made: " + e, "Make room or mend the folder; see who may write it", e);
    }
  }

  private static Journal createIn(Path folder, Path file, Path root, Entry.Requested first)
      throws IOException {
    var channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    var journal = new Journal(file, channel, 0);
    try {
      journal.append(List.of(first));
      flushFolder(folder);
      flushFolder(root);
    } catch (IOException e) {
      journal.close();
      Files.deleteIfExists(file);
      throw e;
    }
    return journal;
  }

  /** Opens for appending, and cuts off a torn last line. */
  static Journal open(Path file) throws IOException {
    var channel = FileChannel.open(file, StandardOpenOption.WRITE);
    long whole = wholeLines(Files.readAllBytes(file));
    if (whole < channel.size()) {
      channel.truncate(whole);
      channel.force(true);
    }
    return new Journal(file, channel, whole);
  }

  /** Writes the entries and waits until they are on the disk: all of them, or an exception. */
  public void append(List<Entry> entries) throws IOException {
    var text = new StringBuilder();
    entries.forEach(entry -> text.append(Line.write(entry)));
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(text.toString());
    int size = bytes.remaining();
    try {
      long position = length;
      while (bytes.hasRemaining()) {
        position += channel.write(bytes, position);
      }
      channel.force(false);
      length += size;
    } catch (IOException e) {
      cutBack(e);
      throw new JournalException(
          file, "cannot be written: " + e.getMessage(), "Make room or mend the disk", e);
    }
  }

  private void cutBack(IOException cause) {
    try {
      channel.truncate(length);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /**
   * Reads a journal, a torn last line left out.
   *
   * @return empty if not even the first line is whole: such an upgrade was never acknowledged
   * @throws JournalException if a whole line is damaged, or does not follow from those before
   */
  public static Optional<Contents> read(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    var text = new String(bytes, 0, (int) wholeLines(bytes), StandardCharsets.UTF_8);
    var events = new ArrayList<UpgradeEvent>();
    Upgrade upgrade = null;
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      try {
        Entry entry = Line.read(line);
        if (upgrade != null) {
          upgrade = upgrade.apply(entry);
        } else if (entry instanceof Entry.Requested first) {
          upgrade = Upgrade.begin(first);
        } else {
          throw new IllegalArgumentException("it is not a request");
        }
        if (entry instanceof Entry.Happened happened) {
          events.add(happened.event());
        }
      } catch (IllegalArgumentException | IllegalStateException e) {
        throw new JournalException(
            file,
            "line " + number + " is damaged: " + e.getMessage(),
            "Put the file back from a backup; or, once you have seen on the node's console which"
                + " kernel serves and that no upgrade is under way, move the file out of the"
                + " folder: the upgrade is then forgotten",
            e);
      }
    }
    return upgrade == null
        ? Optional.empty()
        : Optional.of(new Contents(upgrade, List.copyOf(events)));
  }

  private static long wholeLines(byte[] bytes) {
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    return end;
  }

  /** A file's name is as durable as its folder. */
  private static void flushFolder(Path folder) throws IOException {
    try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
