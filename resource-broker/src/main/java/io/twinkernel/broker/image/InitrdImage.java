package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.DataFormatException;

/**
 * An initial RAM file system: one or more cpio archives, each plain or compressed, one after the
 * other (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * @param path the file
 * @param parts in their order
 * @param fileSize in bytes
 * @param unpackedSize bytes of the files in it where that could be told; 0 where a part is
 *     compressed by something else than gzip
 * @param twinModules the files {@code twin.ko} in its plain parts
 */
public record InitrdImage(
    Path path, List<Part> parts, long fileSize, long unpackedSize, List<ModuleInfo> twinModules) {

  private static final String MODULE = "twin.ko";

  /** How a part is compressed. */
  public enum Compression {
    /** A plain archive, walked to its trailer. */
    NONE,
    /** Decompressed, and its archive walked. */
    GZIP,
    /** Frames and blocks walked. */
    ZSTD,
    /** Blocks walked. */
    LZ4,
    /** Blocks, chunks and index walked. */
    XZ,
    /** bzip2, lzma or lzo: recognised, but not checked for its end. */
    UNCHECKED
  }

  /**
   * A part.
   *
   * @param compression of this part
   * @param start first byte of it in the file
   * @param end first byte after it
   */
  public record Part(Compression compression, long start, long end) {}

  /** Keeps the lists from changing. */
  public InitrdImage {
    parts = List.copyOf(parts);
    twinModules = List.copyOf(twinModules);
  }

  /**
   * Walks an initrd from its start to its end.
   *
   * @throws ImageException {@code initrd-truncated} or {@code initrd-invalid}
   * @throws IOException if the file cannot be read
   */
  public static InitrdImage read(Path path) throws IOException {
    try (ImageFile file = new ImageFile(path)) {
      List<Part> parts = new ArrayList<>();
      List<ModuleInfo> modules = new ArrayList<>();
      CpioWalk walk = new CpioWalk();
      long at = 0;
      try {
        while ((at = skipZeroes(file, at)) < file.size()) {
          Part part = part(file, at, walk, modules);
          parts.add(part);
          at = part.end();
        }
      } catch (EOFException e) {
        throw new ImageException(
            "initrd-truncated",
            path.toString(),
            "it ends in the middle of the archive that starts at byte " + at,
            "copy it again or make it anew");
      } catch (DataFormatException e) {
        throw new ImageException(
            "initrd-invalid",
            path.toString(),
            "at byte " + at + ": " + e.getMessage(),
            "make it anew as a cpio archive in format newc, plain or compressed");
      }
      if (parts.isEmpty()) {
        throw new ImageException(
            "initrd-invalid", path.toString(), "there is nothing in it", "make it anew");
      }
      boolean counted = true;
      for (Part part : parts) {
        counted &= part.compression() == Compression.NONE || part.compression() == Compression.GZIP;
      }
      return new InitrdImage(path, parts, file.size(), counted ? walk.fileBytes() : 0, modules);
    }
  }

  private static Part part(ImageFile file, long at, CpioWalk walk, List<ModuleInfo> modules)
      throws IOException, DataFormatException {
    if (CpioWalk.startsAt(file, at)) {
      long end =
          walk.walk(
              file,
              at,
              (name, start, size) -> {
                if (name.endsWith("/" + MODULE)) {
                  modules.add(ModuleInfo.read(file, start, name));
                }
              });
      return new Part(Compression.NONE, at, end);
    }
    if (file.has(at, 0x1f, 0x8b)) {
      return new Part(Compression.GZIP, at, GzipWalk.walk(file, at, walk));
    }
    if (ZstdWalk.startsAt(file, at)) {
      return new Part(Compression.ZSTD, at, ZstdWalk.walk(file, at));
    }
    if (Lz4Walk.startsAt(file, at)) {
      return new Part(Compression.LZ4, at, Lz4Walk.walk(file, at));
    }
    if (XzWalk.startsAt(file, at)) {
      return new Part(Compression.XZ, at, XzWalk.walk(file, at));
    }
    boolean bzip2 = file.has(at, 'B', 'Z', 'h');
    boolean lzma = file.has(at, 0x5d, 0, 0);
    boolean lzo = file.has(at, 0x89, 'L', 'Z', 'O');
    if (bzip2 || lzma || lzo) {
      return new Part(Compression.UNCHECKED, at, file.size());
    }
    throw new DataFormatException("neither a cpio archive nor a compression that kernels know");
  }

  /** Archives may be padded with zeroes. */
  private static long skipZeroes(ImageFile file, long from) throws IOException {
    long at = from;
    while (at < file.size() && file.u8(at) == 0) {
      at++;
    }
    return at;
  }
}
