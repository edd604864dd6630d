package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.util.zip.DataFormatException;

/** Walks a Zstandard frame by its blocks' sizes (RFC 8878 section 3.1.1). */
final class ZstdWalk {

  private static final int[] DICTIONARY_ID = {0, 1, 2, 4};
  private static final int[] CONTENT_SIZE = {0, 2, 4, 8};

  private ZstdWalk() {}

  static boolean startsAt(ImageFile file, long at) throws IOException {
    return file.has(at, 0x28, 0xb5, 0x2f, 0xfd) || skippable(file, at);
  }

  /** Returns where the frame ends. */
  static long walk(ImageFile file, long start) throws IOException, DataFormatException {
    if (skippable(file, start)) {
      return within(file, start + 8 + file.u32(start + 4));
    }
    int descriptor = file.u8(start + 4);
    boolean singleSegment = (descriptor & 0x20) != 0;
    int contentSize = CONTENT_SIZE[descriptor >> 6];
    long at = start + 5 + DICTIONARY_ID[descriptor & 3];
    at += singleSegment ? Math.max(1, contentSize) : 1 + contentSize;
    while (true) {
      int header = file.u16(at) | (file.u8(at + 2) << 16);
      int size = header >>> 3;
      at +=
          3
              + switch ((header >> 1) & 3) {
                case 0, 2 -> size;
                case 1 -> 1; // one byte, repeated
                default -> throw new DataFormatException("a zstd block of reserved type");
              };
      if ((header & 1) != 0) {
        return within(file, at + ((descriptor & 4) != 0 ? 4 : 0));
      }
    }
  }

  private static boolean skippable(ImageFile file, long at) throws IOException {
    return file.has(at + 1, 0x2a, 0x4d, 0x18) && (file.u8(at) & 0xf0) == 0x50;
  }

  private static long within(ImageFile file, long end) throws EOFException {
    if (end > file.size()) {
      throw new EOFException("last block");
    }
    return end;
  }
}
