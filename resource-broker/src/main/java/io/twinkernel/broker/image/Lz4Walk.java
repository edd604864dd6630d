package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.util.zip.DataFormatException;

/**
 * Walks an LZ4 stream of the legacy format by its blocks' sizes, as lib/decompress_unlz4.c does:
 * the format has no end mark, so a file that is cut off between two blocks looks whole.
 */
final class Lz4Walk {

  private static final long MAGIC = 0x184c2102L;

  /** What 8 MiB can become at worst (LZ4_compressBound). */
  private static final long LARGEST_BLOCK = (8 << 20) + (8 << 20) / 255 + 16;

  private Lz4Walk() {}

  static boolean startsAt(ImageFile file, long at) throws IOException {
    return file.has(at, 0x02, 0x21, 0x4c, 0x18);
  }

  /** Returns where the blocks end. */
  static long walk(ImageFile file, long start) throws IOException, DataFormatException {
    long at = start + 4;
    boolean blocks = false;
    while (at < file.size()) {
      if (at + 4 > file.size()) {
        throw new EOFException("size of a block");
      }
      long size = file.u32(at);
      if (size == MAGIC) {
        at += 4;
      } else if (size == 0 || size > LARGEST_BLOCK) {
        break; // padding, or the next archive
      } else {
        at += 4 + size;
        blocks = true;
      }
      if (at > file.size()) {
        throw new EOFException("block");
      }
    }
    if (!blocks) {
      throw new DataFormatException("an lz4 stream without a block");
    }
    return at;
  }
}
