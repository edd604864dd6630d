package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Walks one gzip member (RFC 1952) by decompressing it. */
final class GzipWalk {

  private static final int CHUNK = 64 << 10;

  private GzipWalk() {}

  /** Returns where the member ends; its content is a cpio archive, walked by {@code walk}. */
  static long walk(ImageFile file, long start, CpioWalk walk)
      throws IOException, DataFormatException {
    long at = header(file, start);
    CRC32 crc = new CRC32();
    byte[] in = new byte[CHUNK];
    byte[] out = new byte[CHUNK];
    Inflater inflater = new Inflater(true);
    try {
      walk.begin();
      while (!inflater.finished()) {
        int count = inflater.inflate(out);
        crc.update(out, 0, count);
        walk.feed(out, count);
        if (inflater.needsInput()) {
          int read = file.read(at, in);
          if (read == 0) {
            throw new EOFException("compressed data");
          }
          inflater.setInput(in, 0, read);
          at += read;
        }
      }
      long trailer = at - inflater.getRemaining();
      if (file.u32(trailer) != crc.getValue()) {
        throw new DataFormatException("the checksum of its gzip data is wrong");
      }
      file.u32(trailer + 4);
      walk.end();
      return trailer + 8;
    } finally {
      inflater.end();
    }
  }

  private static long header(ImageFile file, long start) throws IOException {
    int flags = file.u8(start + 3);
    long at = start + 10;
    if ((flags & 4) != 0) {
      at += 2 + file.u16(at);
    }
    for (int text = 8; text <= 16; text *= 2) { // the name, a comment
      if ((flags & text) != 0) {
        while (file.u8(at++) != 0) {}
      }
    }
    return at + ((flags & 2) != 0 ? 2 : 0);
  }
}
