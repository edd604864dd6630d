package io.twinkernel.broker.plan;

import io.twinkernel.broker.disk.Mount;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What block devices are in use for: mounts and swap, directly, by a partition, or through what is
 * built on top of them (device mapper, md).
 */
final class BlockUses {

  /** By major:minor. */
  private final Map<String, String> mounts = new HashMap<>();

  /** By the device's name. */
  private final Map<String, String> swaps = new HashMap<>();

  private BlockUses() {}

  static BlockUses read(Path root) throws IOException {
    BlockUses uses = new BlockUses();
    for (Mount mount : Mount.read(root)) {
      uses.mounts.putIfAbsent(mount.device(), "mounted on " + mount.point());
    }
    Path swaps = root.resolve("proc/swaps");
    if (Files.exists(swaps)) {
      for (String line : Files.readAllLines(swaps)) {
        int end = line.indexOf(' ');
        if (line.startsWith("/dev/") && end > 0) {
          uses.swaps.put(line.substring(line.lastIndexOf('/', end) + 1, end), "swap space");
        }
      }
    }
    return uses;
  }

  /** Adds the uses of every device in a directory {@code block}. */
  void uses(Path block, List<String> into) throws IOException {
    try (DirectoryStream<Path> disks = Files.newDirectoryStream(block)) {
      for (Path disk : disks) {
        device(disk, into, 0);
      }
    }
  }

  /** A disk, a partition, or a holder; the first two have those that are built on them below. */
  private void device(Path device, List<String> into, int depth) throws IOException {
    if (depth > 4 || !Files.exists(device.resolve("dev"))) {
      return;
    }
    String name = device.getFileName().toString();
    String mount = mounts.get(Files.readString(device.resolve("dev")).strip());
    if (mount != null) {
      into.add(name + " is " + mount);
    }
    String swap = swaps.get(name);
    if (swap != null) {
      into.add(name + " is " + swap);
    }
    try (DirectoryStream<Path> children = Files.newDirectoryStream(device)) {
      for (Path child : children) {
        String below = child.getFileName().toString();
        if (below.equals("holders")) {
          uses(child, into);
        } else if (below.startsWith(name)) {
          device(child, into, depth + 1);
        }
      }
    }
  }
}
