package io.twinkernel.rootfs;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Reads newc archives as init/initramfs.c does, several end to end included. */
final class CpioReader {
  private static final int HEADER = 110;

  record Entry(String path, int mode, String content, int major, int minor) {}

  private CpioReader() {}

  static List<Entry> read(byte[] archive) {
    List<Entry> entries = new ArrayList<>();
    int position = 0;
    while (position < archive.length) {
      if (archive[position] == 0) {
        position++;
        continue;
      }
      if (!text(archive, position, 6).equals("070701")) {
        throw new IllegalStateException("no header at " + position);
      }
      int size = field(archive, position, 6);
      int nameSize = field(archive, position, 11);
      String name = text(archive, position + HEADER, nameSize - 1);
      int data = aligned(position + HEADER + nameSize);
      if (!name.equals("TRAILER!!!")) {
        entries.add(
            new Entry(
                name,
                field(archive, position, 1),
                text(archive, data, size),
                field(archive, position, 9),
                field(archive, position, 10)));
      }
      position = aligned(data + size);
    }
    return entries;
  }

  private static int field(byte[] archive, int header, int index) {
    return Integer.parseUnsignedInt(text(archive, header + 6 + 8 * index, 8), 16);
  }

  private static int aligned(int position) {
    return (position + 3) & ~3;
  }

  private static String text(byte[] archive, int start, int length) {
    return new String(archive, start, length, StandardCharsets.ISO_8859_1);
  }
}
