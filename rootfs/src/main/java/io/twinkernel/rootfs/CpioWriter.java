package io.twinkernel.rootfs;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes archives as the kernel unpacks them at boot: cpio "newc"
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * <p>The bytes follow from the entries alone: they come sorted by path, belong to root, carry one
 * fixed time and are numbered in order. Folders above an entry are added by themselves. An archive
 * is padded to 512 bytes, so that archives can be joined end to end.
 */
public final class CpioWriter {
  /** 2026-01-01 00:00:00 UTC, in seconds: the time of every file in every image. */
  static final long TIME = 1_767_225_600L;

  private static final int BLOCK = 512;
  private static final int KIND = 0170000;
  private static final int FOLDER = 0040000;
  private static final int FILE = 0100000;
  private static final int LINK = 0120000;
  private static final int DEVICE = 0020000;

  private final TreeMap<String, Entry> entries = new TreeMap<>();

  /** What an entry holds. */
  private sealed interface Content {
    record None() implements Content {}

    record Bytes(ByteBuffer bytes) implements Content {}

    record OnDisk(Path file) implements Content {}
  }

  private record Entry(int mode, Content content, int major, int minor) {}

  /** A folder; its mode is given as permission bits, for example 0755. */
  public CpioWriter folder(String path, int permissions) {
    return put(path, new Entry(FOLDER | permissions, new Content.None(), 0, 0));
  }

  /** A file with these bytes. */
  public CpioWriter file(String path, int permissions, byte[] bytes) {
    return put(
        path,
        new Entry(FILE | permissions, new Content.Bytes(ByteBuffer.wrap(bytes.clone())), 0, 0));
  }

  /** A file with the contents of one on disk, read when the archive is written. */
  public CpioWriter file(String path, int permissions, Path source) {
    return put(path, new Entry(FILE | permissions, new Content.OnDisk(source), 0, 0));
  }

  /** A symbolic link. */
  public CpioWriter link(String path, String target) {
    return put(
        path,
        new Entry(LINK | 0777, new Content.Bytes(StandardCharsets.UTF_8.encode(target)), 0, 0));
  }

  /** A character device. */
  public CpioWriter device(String path, int permissions, int major, int minor) {
    return put(path, new Entry(DEVICE | permissions, new Content.None(), major, minor));
  }

  private CpioWriter put(String path, Entry entry) {
    String name = path.startsWith("/") ? path.substring(1) : path;
    if (name.isEmpty() || name.endsWith("/") || name.contains("//")) {
      throw new IllegalArgumentException("not a path of a file in an archive: " + path);
    }
    for (int slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
      entries.putIfAbsent(
          name.substring(0, slash), new Entry(FOLDER | 0755, new Content.None(), 0, 0));
    }
    entries.put(name, entry);
    return this;
  }

  /** Writes the archive to a file, which is replaced. */
  public void write(Path target) throws IOException {
    try (OutputStream out = Files.newOutputStream(target)) {
      write(out);
    }
  }

  /** Writes the archive; the stream stays open. */
  public void write(OutputStream stream) throws IOException {
    Output out = new Output(new BufferedOutputStream(stream, 1 << 18));
    int inode = 1;
    for (Map.Entry<String, Entry> entry : entries.entrySet()) {
      out.entry(inode, entry.getKey(), entry.getValue());
      inode++;
    }
    out.entry(0, "TRAILER!!!", new Entry(0, new Content.None(), 0, 0));
    out.pad(BLOCK);
    out.stream.flush();
  }

  private static final class Output {
    private final OutputStream stream;
    private long position;

    Output(OutputStream stream) {
      this.stream = stream;
    }

    void entry(int inode, String name, Entry entry) throws IOException {
      long size =
          switch (entry.content) {
            case Content.None() -> 0;
            case Content.Bytes(ByteBuffer bytes) -> bytes.remaining();
            case Content.OnDisk(Path file) -> Files.size(file);
          };
      byte[] path = name.getBytes(StandardCharsets.UTF_8);
      int links = (entry.mode & KIND) == FOLDER ? 2 : 1;
      long[] fields = {
        inode,
        entry.mode,
        0,
        0,
        links,
        inode == 0 ? 0 : TIME,
        size,
        0,
        0,
        entry.major,
        entry.minor,
        path.length + 1,
        0
      };
      StringBuilder header = new StringBuilder("070701");
      for (long field : fields) {
        header.append(String.format("%08X", field));
      }
      put(header.toString().getBytes(StandardCharsets.US_ASCII));
      put(path);
      put(new byte[1]);
      pad(4);
      switch (entry.content) {
        case Content.None() -> {}
        case Content.Bytes(ByteBuffer bytes) -> put(bytes);
        case Content.OnDisk(Path file) -> copy(file, size);
      }
      pad(4);
    }

    private void copy(Path file, long size) throws IOException {
      try (InputStream in = Files.newInputStream(file)) {
        long copied = in.transferTo(stream);
        if (copied != size) {
          throw new IOException(file + " changed while it was packed");
        }
        position += copied;
      }
    }

    private void put(ByteBuffer content) throws IOException {
      byte[] bytes = new byte[content.remaining()];
      content.duplicate().get(bytes);
      put(bytes);
    }

    private void put(byte[] bytes) throws IOException {
      stream.write(bytes);
      position += bytes.length;
    }

    void pad(int to) throws IOException {
      int missing = (int) (-position & (to - 1));
      stream.write(new byte[missing]);
      position += missing;
    }
  }
}
