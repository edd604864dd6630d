package io.twinkernel.broker.prestage;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Files that stand in for those on a disk that is not here yet, below the place where it will be
 * mounted, while CRIU restores a copy that has them open. They are empty but as large, and have no
 * name any more once the copy is there.
 */
public final class StandIns implements AutoCloseable {
  private static final String MODE = "unix:mode";

  private final List<Path> files = new ArrayList<>();

  /**
   * Makes those of one process.
   *
   * @param directory that it works in on the disk, empty if it works elsewhere
   * @param mode that directory's type and permissions, which CRIU compares
   * @throws IOException if something is in the way: nothing is overwritten
   */
  public void make(List<DiskFile> open, String directory, int mode) throws IOException {
    if (!directory.isEmpty()) {
      Path path = Files.createDirectories(Path.of(directory));
      Files.setAttribute(path, MODE, mode & DiskFile.PERMISSIONS);
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
        Files.setAttribute(path, MODE, file.permissions());
      }
    }
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
