package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Link;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Sends a folder of process images to the other kernel, each file read straight into the ring. */
final class ImageSender {
  /** Large enough that a record's overhead vanishes, small enough that both ends work at once. */
  private static final int CHUNK = 1 << 20;

  private final Link link;

  ImageSender(Link link) {
    this.link = link;
  }

  /**
   * Sends all that is in a folder.
   *
   * @param folder holds files and symbolic links only
   * @param name the folder's name in the other kernel
   * @return bytes sent
   */
  long send(Path folder, String name) throws IOException {
    long bytes = 0;
    try (var entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        String target = name + "/" + entry.getFileName();
        if (Files.isSymbolicLink(entry)) {
          String names = target + "\n" + Files.readSymbolicLink(entry);
          post(FrameType.FILE_LINK, names);
        } else {
          bytes += sendFile(entry, target);
        }
      }
    }
    link.send(FrameType.FILES_END, new byte[0]);
    return bytes;
  }

  /** Has the other kernel remove all that was sent. */
  void forget() throws IOException {
    link.send(FrameType.FILES_FORGET, new byte[0]);
  }

  /** Waits until the other kernel has taken all of it. */
  void flush() throws IOException {
    link.flush();
  }

  private long sendFile(Path file, String target) throws IOException {
    post(FrameType.FILE_OPEN, target);
    long bytes = 0;
    int chunk = Math.min(CHUNK, link.limit());
    try (Fd input = Fd.open(file.toString(), Linux.O_RDONLY())) {
      int read;
      do {
        var reading = new Reading(input);
        link.post(FrameType.FILE_DATA, chunk, reading);
        // The other side writes this while we read what follows.
        link.ring();
        read = reading.bytes;
        bytes += read;
      } while (read == chunk);
    }
    return bytes;
  }

  private void post(int type, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    link.post(type, bytes.length, room -> copy(bytes, room));
  }

  private static int copy(byte[] bytes, MemorySegment room) {
    room.copyFrom(MemorySegment.ofArray(bytes));
    return bytes.length;
  }

  /** Reads until the room is full or the file ends. */
  private static final class Reading implements Link.Payload {
    private final Fd input;
    private int bytes;

    Reading(Fd input) {
      this.input = input;
    }

    @Override
    public int fill(MemorySegment room) throws IOException {
      int read;
      do {
        read = input.read(room.asSlice(bytes));
        bytes += read;
      } while (read > 0 && bytes < room.byteSize());
      return bytes;
    }
  }
}
