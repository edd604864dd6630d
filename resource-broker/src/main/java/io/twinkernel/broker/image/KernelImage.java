package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A bzImage, as its setup header describes it (Documentation/arch/x86/boot.rst, protocol 2.12 and
 * later).
 *
 * @param path the file
 * @param release as {@code uname -r} prints it, such as {@code 6.1.0-54-cloud-amd64}
 * @param version the release and how it was built
 * @param protocol of the boot header, major·256 + minor: 0x020f
 * @param commandLineLimit longest command line in characters
 * @param alignment at which the kernel must lie, in bytes
 * @param memory contiguous bytes from its start that the kernel needs before it looks at the memory
 *     map ({@code init_size})
 * @param fileSize in bytes
 */
public record KernelImage(
    Path path,
    String release,
    String version,
    int protocol,
    int commandLineLimit,
    long alignment,
    long memory,
    long fileSize) {

  private static final int OLDEST_PROTOCOL = 0x020c;
  private static final int SECTOR = 512;
  private static final int PARAGRAPH = 16;
  private static final int LONGEST_VERSION = 512;
  private static final int ENTRY_64_BIT = 1; // XLF_KERNEL_64

  /**
   * Reads the header of a kernel and checks that it can be started beside another one and that its
   * file is whole.
   *
   * @throws ImageException saying why it cannot: {@code image-not-a-kernel}, {@code
   *     image-unsuitable} or {@code image-truncated}
   * @throws IOException if the file cannot be read
   */
  public static KernelImage read(Path path) throws IOException {
    try (ImageFile file = new ImageFile(path)) {
      return read(path, file);
    } catch (EOFException e) {
      throw truncated(path, "it ends within its boot header");
    }
  }

  private static KernelImage read(Path path, ImageFile file) throws IOException {
    if (!file.has(0x1fe, 0x55, 0xaa) || !file.has(0x202, 'H', 'd', 'r', 'S')) {
      throw new ImageException(
          "image-not-a-kernel",
          path.toString(),
          "there is no boot header 'HdrS' at offset 0x202: it is not an x86 bzImage",
          "name the vmlinuz of a kernel package");
    }
    int protocol = file.u16(0x206);
    if (protocol < OLDEST_PROTOCOL) {
      throw unsuitable(
          path, "its boot protocol is " + (protocol >> 8) + "." + (protocol & 0xff) + ", not 2.12");
    }
    if ((file.u16(0x236) & ENTRY_64_BIT) == 0) {
      throw unsuitable(path, "it has no 64-bit entry point");
    }
    if (file.u8(0x234) == 0) {
      throw unsuitable(path, "it is not relocatable, so it cannot lie in the crash region");
    }
    int setupSectors = file.u8(0x1f1);
    long setup = (long) SECTOR * (1 + (setupSectors == 0 ? 4 : setupSectors));
    long whole = setup + PARAGRAPH * file.u32(0x1f4);
    if (file.size() < whole) {
      throw truncated(path, "its header wants " + whole + " bytes, there are " + file.size());
    }
    String version = version(path, file, setup);
    int space = version.indexOf(' ');
    return new KernelImage(
        path,
        space < 0 ? version : version.substring(0, space),
        version,
        protocol,
        (int) Math.min(file.u32(0x238), Integer.MAX_VALUE),
        file.u32(0x230),
        file.u32(0x260),
        file.size());
  }

  private static String version(Path path, ImageFile file, long setup) throws IOException {
    int offset = file.u16(0x20e);
    String version = offset == 0 ? "" : file.text(offset + 0x200L, LONGEST_VERSION);
    if (offset + 0x200L >= setup || version.isBlank()) {
      throw unsuitable(path, "its header says no version");
    }
    return version;
  }

  private static ImageException unsuitable(Path path, String why) {
    return new ImageException(
        "image-unsuitable",
        path.toString(),
        why,
        "build it for x86_64 with CONFIG_RELOCATABLE, or take a distribution's kernel");
  }

  private static ImageException truncated(Path path, String why) {
    return new ImageException(
        "image-truncated",
        path.toString(),
        why,
        "copy it again and compare its checksum with the package's");
  }
}
