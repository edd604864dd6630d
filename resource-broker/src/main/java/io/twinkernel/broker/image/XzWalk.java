package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.util.zip.DataFormatException;

/**
 * Walks an .xz stream: its blocks by their LZMA2 chunks, its index, its footer (The .xz File Format
 * 1.1.0; chunks as in lib/xz/xz_dec_lzma2.c).
 */
final class XzWalk {

  private static final int STREAM_HEADER = 12;
  private static final int[] CHECK_SIZE = {0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64};

  private XzWalk() {}

  static boolean startsAt(ImageFile file, long at) throws IOException {
    return file.has(at, 0xfd, '7', 'z', 'X', 'Z', 0);
  }

  /** Returns where the stream ends. */
  static long walk(ImageFile file, long start) throws IOException, DataFormatException {
    int check = CHECK_SIZE[file.u8(start + 7) & 0xf];
    long at = start + STREAM_HEADER;
    int headerSize;
    while ((headerSize = file.u8(at)) != 0) {
      at = align(start, chunks(file, at + 4L * (headerSize + 1))) + check;
    }
    at = align(start, index(file, at)) + 4; // its checksum
    if (!file.has(at + 10, 'Y', 'Z')) {
      if (at + STREAM_HEADER > file.size()) {
        throw new EOFException("footer");
      }
      throw new DataFormatException("an xz stream without its footer");
    }
    return at + STREAM_HEADER;
  }

  /** LZMA2: a control byte, sizes, properties, data; control 0 ends the block. */
  private static long chunks(ImageFile file, long start) throws IOException, DataFormatException {
    long at = start;
    int control;
    while ((control = file.u8(at)) != 0) {
      if (control >= 0x80) {
        int compressed = ((file.u8(at + 3) << 8) | file.u8(at + 4)) + 1;
        at += 5 + (control >= 0xc0 ? 1 : 0) + compressed;
      } else if (control <= 2) {
        at += 3 + ((file.u8(at + 1) << 8) | file.u8(at + 2)) + 1;
      } else {
        throw new DataFormatException("an LZMA2 chunk of unknown kind " + control);
      }
    }
    return at + 1;
  }

  /** A zero byte, the number of records, two numbers for each. */
  private static long index(ImageFile file, long start) throws IOException, DataFormatException {
    long at = start + 1;
    long records = 0;
    for (int shift = 0; ; shift += 7) {
      int next = file.u8(at++);
      records |= (long) (next & 0x7f) << shift;
      if (next < 0x80) {
        break;
      }
      if (shift > 56) {
        throw new DataFormatException("an xz index that does not end");
      }
    }
    for (long numbers = 2 * records; numbers > 0; numbers--) {
      while (file.u8(at++) >= 0x80) {}
    }
    return at;
  }

  private static long align(long start, long at) {
    return at + ((4 - ((at - start) & 3)) & 3);
  }
}
