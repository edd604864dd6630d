package io.twinkernel.broker.plan;

import io.twinkernel.broker.disk.BlockDevice;
import io.twinkernel.broker.disk.Ext4Superblock;
import io.twinkernel.broker.disk.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What there is at the mount point of a disk that is to go over.
 *
 * @param point as the policy names it
 * @param mounts all mounts here
 * @param device what is mounted there, where it is a PCI function's disk
 * @param superblock of it, where it is ext4
 * @param images files on it that this kernel itself uses: as swap space or as a loop device
 */
public record DiskFacts(
    String point,
    List<Mount> mounts,
    Optional<BlockDevice> device,
    Optional<Ext4Superblock> superblock,
    List<String> images) {

  /** Keeps the lists from changing. */
  public DiskFacts {
    mounts = List.copyOf(mounts);
    images = List.copyOf(images);
  }

  /**
   * Looks at a machine.
   *
   * @param root where its {@code proc}, {@code sys} and {@code dev} are: {@code /}, or a captured
   *     tree
   */
  public static DiskFacts read(Path root, String point) throws IOException {
    List<Mount> mounts = Mount.read(root);
    Optional<Mount> mount = at(mounts, point);
    Optional<BlockDevice> device =
        mount.isPresent()
            ? BlockDevice.of(root.resolve("sys"), mount.get().device())
            : Optional.empty();
    Optional<Ext4Superblock> superblock = Optional.empty();
    if (device.isPresent() && mount.orElseThrow().type().equals("ext4")) {
      superblock =
          Optional.of(Ext4Superblock.read(root.resolve("dev").resolve(device.get().name())));
    }
    return new DiskFacts(point, mounts, device, superblock, images(root, point));
  }

  /**
   * The mount at the point.
   *
   * @throws IOException if there is none
   */
  public Mount mounted() throws IOException {
    return mount().orElseThrow(() -> new IOException("nothing is mounted on " + point));
  }

  /** What is mounted at the point, the last one if there are several. */
  Optional<Mount> mount() {
    return at(mounts, point);
  }

  private static Optional<Mount> at(List<Mount> mounts, String point) {
    return mounts.stream().filter(mount -> mount.point().equals(point)).reduce((_, last) -> last);
  }

  private static List<String> images(Path root, String point) throws IOException {
    var found = new ArrayList<String>();
    Path swaps = root.resolve("proc/swaps");
    if (Files.exists(swaps)) {
      for (String line : Files.readAllLines(swaps)) {
        if (line.startsWith(point + "/")) {
          found.add("swap space in " + line.split("\\s", 2)[0]);
        }
      }
    }
    Path block = root.resolve("sys/block");
    if (Files.isDirectory(block)) {
      try (var loops = Files.newDirectoryStream(block, "loop*")) {
        for (Path loop : loops) {
          String file = backing(loop);
          if (file.startsWith(point + "/")) {
            found.add(loop.getFileName() + " of " + file);
          }
        }
      }
    }
    return List.copyOf(found);
  }

  private static String backing(Path loop) throws IOException {
    try {
      return Files.readString(loop.resolve("loop/backing_file")).strip();
    } catch (NoSuchFileException e) {
      return ""; // a loop device without a file
    }
  }
}
