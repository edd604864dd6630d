package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A part of an initramfs, in a cache entry of its own: the kernel unpacks any number of archives
 * that lie end to end, compressed or not.
 *
 * @param folder the entry, whose name changes whenever the archive does
 */
record Segment(Path folder) {
  private static final String RAW = "part.cpio";
  private static final String PACKED = "part.cpio.zst";

  /** Part of the cache keys: other compression, other bytes. */
  static final String COMPRESSION = "zstd -9";

  /** The archive as it is, for a machine that gets it from its emulator. */
  Path raw() {
    return folder.resolve(RAW);
  }

  /** The same, compressed, for an initrd that a kernel has to checksum and carry. */
  Path packed() {
    return folder.resolve(PACKED);
  }

  /** Writes both forms into a folder. */
  static Segment write(CpioWriter archive, Path folder)
      throws IOException, RootfsException, InterruptedException {
    Segment segment = new Segment(folder);
    archive.write(segment.raw());
    // The bytes do not depend on the number of threads.
    Command.run(
        folder,
        "zstd",
        "-q",
        "-9",
        "-T0",
        segment.raw().toString(),
        "-o",
        segment.packed().toString());
    return segment;
  }

  /** Unpacks it, times included, with a busybox: hosts need not have cpio. */
  void unpack(Path busybox, Path root) throws IOException, RootfsException, InterruptedException {
    Files.createDirectories(root);
    String program = busybox.toString();
    Command.run(
        root, "sh", "-c", "exec \"$1\" cpio -idmu <\"$2\"", "sh", program, raw().toString());
  }
}
