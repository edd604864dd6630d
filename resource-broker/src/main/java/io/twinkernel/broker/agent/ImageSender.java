package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Link;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;

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
    var entries = new ArrayList<Path>();
    try (var list = Files.newDirectoryStream(folder)) {
      list.forEach(entries::add);
    }
    for (Path entry : entries) {
      String target = name + "/" + entry.getFileName();
      if (Files.isSymbolicLink(entry)) {
        String link1 = target + "\n" + Files.readSymbolicLink(entry);
        link.send(FrameType.FILE_LINK, link1.getBytes(StandardCharsets.UTF_8));
      } else {
        bytes += sendFile(entry, target);
      }
    }
    return bytes;
  }

  private long sendFile(Path file, String target) throws IOException {
    link.send(FrameType.FILE_OPEN, target.getBytes(StandardCharsets.UTF_8));
    long bytes = 0;
    int chunk = Math.min(CHUNK, link.limit());
    try (Fd input = Fd.open(file.toString(), Linux.O_RDONLY())) {
      long size = Files.size(file);
      while (bytes < size) {
        int most = (int) Math.min(chunk, size - bytes);
        int[] read = new int[1];
        link.send(FrameType.FILE_DATA, most, room -> read[0] = input.read(room));
        if (read[0] <= 0) {
          throw new IOException(file + " ends at " + bytes + " of " + size + " bytes");
        }
        bytes += read[0];
      }
    }
    link.send(FrameType.FILE_END, new byte[0]);
    return bytes;
  }
}
