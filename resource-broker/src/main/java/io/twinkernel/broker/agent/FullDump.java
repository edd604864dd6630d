package io.twinkernel.broker.agent;

import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** All of the processes in the gap, where no copies wait in B, and their disk. */
final class FullDump {
  private FullDump() {}

  /**
   * Dumps the stopped processes, and lets go of the disk when CRIU has looked at what they have
   * open there.
   *
   * @param disk its file system being frozen
   * @param gap receives what takes the disk back
   * @param damaged whether the registers' image is to be cut short, as a torn write would
   */
  static void send(Stage.Copied copied, Background disk, Undo gap, Trace trace, boolean damaged)
      throws IOException, InterruptedException {
    long from = Tsc.read();
    var folders = new LinkedHashMap<Integer, Path>();
    for (int root : copied.copy().roots()) {
      Path folder = copied.copy().dump(root);
      from = trace.add("dump", from);
      if (damaged) {
        damage(folder);
      }
      folders.put(root, folder);
    }
    disk.join();
    if (copied.disk().isPresent()) {
      copied
          .disk()
          .get()
          .release(copied.service().processes().processes(), gap, copied.booted().peer(), trace);
      from = Tsc.read();
    }
    for (Map.Entry<Integer, Path> one : folders.entrySet()) {
      copied.copy().sendDump(one.getKey(), one.getValue());
      from = trace.add("send-image", from);
    }
  }

  /** By root PID, where B finds its last image; empty if copies wait there. */
  static Map<String, Object> images(Stage.Copied copied) {
    var images = new LinkedHashMap<String, Object>();
    if (!copied.prestaging().ready()) {
      for (int root : copied.copy().roots()) {
        images.put(Integer.toString(root), copied.copy().dumpName(root));
      }
    }
    return images;
  }

  private static void damage(Path folder) throws IOException {
    try (var cores = Files.newDirectoryStream(folder, "core-*.img")) {
      for (Path core : cores) {
        byte[] bytes = Files.readAllBytes(core);
        Files.write(core, Arrays.copyOf(bytes, bytes.length / 2));
      }
    }
  }
}
