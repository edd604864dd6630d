package io.twinkernel.broker.policy;

import io.twinkernel.broker.disk.Mount;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which files the other kernel will have, and which it has to be asked about. */
final class MovedFiles {
  /** As a file's size: it does not matter. */
  static final long ANY_SIZE = -1;

  /** CRIU takes a file without a name along up to this size, {@code --ghost-limit}. */
  private static final long LARGEST_DELETED = 1 << 20;

  private final String disk;
  private final Map<String, NeededFile> needed = new LinkedHashMap<>();

  /**
   * @param disk where the disk is mounted that goes over with the processes; empty for none
   */
  MovedFiles(String disk) {
    this.disk = disk;
  }

  /** Files of the image's, which only the other kernel's image can tell that it has. */
  List<NeededFile> needed() {
    return List.copyOf(needed.values());
  }

  /**
   * Why a file will not be there.
   *
   * @param space of the process
   * @param mount that it is on; null where that is not known
   * @param user who has it
   * @return empty if it will be there, or if only the other kernel can tell
   */
  Optional<String> obstacle(
      FileSpace space,
      @Nullable Mount mount,
      String path,
      boolean deleted,
      long bytes,
      String user) {
    if (mount == null && space.contained()) {
      return Optional.of("a file from outside its container");
    }
    if (mount == null || mount.ofTheKernel()) {
      return Optional.empty();
    }
    if (deleted) {
      return deleted(mount, bytes);
    }
    if (space.contained()) {
      // Its file systems go over with it, but for the image, which Container is in.
      if (space.isOnRoot(mount)) {
        need(FileSpace.pathInside(mount, path), bytes, user);
      }
      return Optional.empty();
    }
    if (!disk.isEmpty() && mount.point().equals(disk)) {
      return Optional.empty();
    }
    if (mount.point().equals("/") && mount.inMemory()) {
      need(path, bytes, user);
      return Optional.empty();
    }
    if (mount.inMemory()) {
      return Optional.of(
          "a file in this kernel's memory (" + mount.type() + " on " + mount.point() + ")");
    }
    return Optional.of(
        "a file on "
            + mount.source()
            + " ("
            + mount.type()
            + " on "
            + mount.point()
            + "), which the other kernel will not have");
  }

  /** A file that the other kernel must have, by the path that it has there. */
  void need(String path, long bytes, String user) {
    needed.merge(
        path,
        new NeededFile(path, bytes, user),
        (first, second) -> first.bytes() == ANY_SIZE ? second : first);
  }

  private static Optional<String> deleted(Mount mount, long bytes) {
    if (!mount.inMemory()) {
      return Optional.of(
          "a deleted file on a disk, mounted on "
              + mount.point()
              + ": it cannot be made anew there before the other kernel owns the disk");
    }
    return bytes <= LARGEST_DELETED
        ? Optional.empty()
        : Optional.of("a deleted file of " + bytes + " bytes, more than CRIU takes along");
  }
}
