package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Files that stand in for those on a disk that is not here yet, below the place where it will be
 * mounted, while CRIU restores a copy that has them open. They are empty but as large, and have no
 * name any more once the copy is there.
 */
public final class StandIns implements AutoCloseable {
  private final List<Path> files = new ArrayList<>();

  /**
   * Makes those of one process.
   *
   * @param directory that it works in on the disk, empty if it works elsewhere
   * @throws IOException if something is in the way: nothing is overwritten
   */
  public void make(List<DiskFile> open, String directory) throws IOException {
    if (!directory.isEmpty()) {
      Files.createDirectories(Path.of(directory));
    }
    for (DiskFile file : open) {
      Path path = Path.of(file.path());
      if (!files.contains(path)) {
        Files.createDirectories(path.getParent());
        Files.createFile(path);
        files.add(path);
        try (var content = new RandomAccessFile(path.toFile(), "rw")) {
          content.setLength(file.bytes());
        }
        Files.setPosixFilePermissions(path, permissions(file.permissions()));
      }
    }
  }

  private static Set<PosixFilePermission> permissions(int mode) {
    var permissions = EnumSet.noneOf(PosixFilePermission.class);
    PosixFilePermission[] all = PosixFilePermission.values();
    for (int bit = 0; bit < all.length; bit++) {
      if ((mode & 0400 >> bit) != 0) {
        permissions.add(all[bit]);
      }
    }
    return permissions;
  }

  /** Removes their names. */
  @Override
  public void close() throws IOException {
    for (Path file : files) {
      Files.deleteIfExists(file);
    }
    files.clear();
  }
}
