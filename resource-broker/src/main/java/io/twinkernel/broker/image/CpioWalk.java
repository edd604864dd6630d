package io.twinkernel.broker.image;

import java.io.EOFException;
import java.io.IOException;
import java.util.zip.DataFormatException;

/**
 * Walks a cpio archive of format newc or crc to its trailer: in a file by skipping, in a stream
 * byte by byte.
 */
final class CpioWalk {

  private static final int HEADER = 110;
  private static final String TRAILER = "TRAILER!!!";
  private static final int LONGEST_NAME = 4096; // PATH_MAX, as init/initramfs.c has it

  private long fileBytes;

  // Of the stream.
  private final byte[] header = new byte[HEADER + TRAILER.length()];
  private long inEntry;
  private long entrySize;
  private boolean ended;

  static boolean startsAt(ImageFile file, long at) throws IOException {
    return file.has(at, '0', '7', '0', '7', '0', '1') || file.has(at, '0', '7', '0', '7', '0', '2');
  }

  /** Bytes of the files in all archives that were walked. */
  long fileBytes() {
    return fileBytes;
  }

  /** Told of the files of plain archives. */
  interface Visitor {
    /** A file's name and where its content lies. */
    void file(String name, long start, long size) throws IOException;
  }

  /** Walks a plain archive; returns where it ends. */
  long walk(ImageFile file, long start, Visitor visitor) throws IOException, DataFormatException {
    long at = start;
    while (true) {
      if (at + HEADER > file.size()) {
        throw new EOFException("header of an entry");
      }
      byte[] entry = new byte[HEADER + TRAILER.length()];
      if (file.read(at, entry) < HEADER) {
        throw new EOFException("header of an entry");
      }
      long end = at + entrySize(entry);
      if (end > file.size()) {
        // The padding after the trailer is often left out.
        if (isTrailer(entry) && at + HEADER + TRAILER.length() + 1 <= file.size()) {
          return file.size();
        }
        throw new EOFException("entry at byte " + at);
      }
      if (isTrailer(entry)) {
        return end;
      }
      long size = fieldOf(entry, 6);
      fileBytes += size;
      if (size > 0) {
        String name = file.text(at + HEADER, (int) fieldOf(entry, 11));
        visitor.file(name, end - pad(size), size);
      }
      at = end;
    }
  }

  /** A stream of archives begins. */
  void begin() {
    inEntry = 0;
    entrySize = 0;
    ended = false;
  }

  /** More of the stream. */
  void feed(byte[] bytes, int length) throws DataFormatException {
    int at = 0;
    while (at < length) {
      if (inEntry == 0 && ended && bytes[at] == 0) {
        at++; // padding between archives
        continue;
      }
      if (inEntry < HEADER || (inEntry < header.length && inEntry < entrySize)) {
        header[(int) inEntry++] = bytes[at++];
        if (inEntry == HEADER) {
          entrySize = entrySize(header);
          fileBytes += fieldOf(header, 6);
        }
      } else {
        long skip = Math.min(length - at, entrySize - inEntry);
        at += (int) skip;
        inEntry += skip;
      }
      if (inEntry >= HEADER && inEntry == entrySize) {
        ended = isTrailer(header);
        inEntry = 0;
      }
    }
  }

  /** Throws unless the stream ended after a trailer. */
  void end() throws EOFException {
    if (!ended || inEntry != 0) {
      throw new EOFException("no trailer");
    }
  }

  /** Header, name and data, each padded to four bytes. */
  private static long entrySize(byte[] entry) throws DataFormatException {
    if (entry[0] != '0' || entry[1] != '7' || entry[2] != '0' || entry[3] != '7') {
      throw new DataFormatException("an entry does not start with 0707");
    }
    long name = fieldOf(entry, 11);
    if (name < 1 || name > LONGEST_NAME) {
      throw new DataFormatException("a name of " + name + " bytes");
    }
    return pad(HEADER + name) + pad(fieldOf(entry, 6));
  }

  private static boolean isTrailer(byte[] entry) throws DataFormatException {
    if (fieldOf(entry, 11) != TRAILER.length() + 1) {
      return false;
    }
    for (int i = 0; i < TRAILER.length(); i++) {
      if (entry[HEADER + i] != TRAILER.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** One of the eight-digit hexadecimal fields after the magic: 6 is the size, 11 the name's. */
  private static long fieldOf(byte[] entry, int field) throws DataFormatException {
    long value = 0;
    for (int i = 0; i < 8; i++) {
      int digit = Character.digit(entry[6 + 8 * field + i], 16);
      if (digit < 0) {
        throw new DataFormatException("an entry's header is not hexadecimal");
      }
      value = (value << 4) | digit;
    }
    return value;
  }

  private static long pad(long length) {
    return (length + 3) & ~3L;
  }
}
