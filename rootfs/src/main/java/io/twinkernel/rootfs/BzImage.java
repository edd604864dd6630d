package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Reads the header of an x86 kernel image (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel
 * Header").
 */
final class BzImage {
  private static final int MAGIC_OFFSET = 0x202;
  private static final int MAGIC = 0x53726448; // "HdrS"
  private static final int VERSION_OFFSET = 0x20e;
  private static final int SETUP_SECTORS_OFFSET = 0x1f1;
  private static final int BODY_SIZE_OFFSET = 0x1f4;
  private static final int SECTOR = 512;

  private BzImage() {}

  /** The release that the image says it is; refuses what is not a kernel or is cut short. */
  static String release(Path image) throws IOException, RootfsException {
    byte[] start;
    try (var in = Files.newInputStream(image)) {
      start = in.readNBytes(1 << 16);
    }
    ByteBuffer header = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
    if (start.length < 0x260 || header.getInt(MAGIC_OFFSET) != MAGIC) {
      throw refused(image, "it has no x86 boot header");
    }
    long sectors = Math.max(4, start[SETUP_SECTORS_OFFSET] & 0xff) + 1L;
    long needed = sectors * SECTOR + 16L * Integer.toUnsignedLong(header.getInt(BODY_SIZE_OFFSET));
    if (Files.size(image) < needed) {
      throw refused(
          image, "it is cut short: " + Files.size(image) + " of at least " + needed + " bytes");
    }
    int text = SECTOR + Short.toUnsignedInt(header.getShort(VERSION_OFFSET));
    int end = text;
    while (end < start.length && start[end] > ' ') {
      end++;
    }
    if (end <= text || end == start.length) {
      throw refused(image, "it does not say which release it is");
    }
    return new String(start, text, end - text, StandardCharsets.US_ASCII);
  }

  private static RootfsException refused(Path image, String why) {
    return new RootfsException(
        RootfsException.Code.NOT_A_KERNEL,
        image + " cannot be booted",
        why,
        "Give a bzImage, for example /boot/vmlinuz-RELEASE.");
  }
}
