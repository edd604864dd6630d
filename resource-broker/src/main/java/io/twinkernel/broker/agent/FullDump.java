package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.DumpedTimers;
import io.twinkernel.broker.process.ImageFindings;
import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Those processes of which no copies wait in B, as a whole in the gap, and the disk of all. */
final class FullDump {
  private FullDump() {}

  /**
   * Dumps the stopped processes, and lets go of the disk when CRIU has looked at what they have
   * open there.
   *
   * @param roots of their trees
   * @param disk its file system being frozen
   * @param gap receives what takes the disk back
   * @param damaged whether the registers' image is to be cut short, as a torn write would
   */
  static void send(
      Stage.Copied copied,
      List<Integer> roots,
      Background disk,
      Undo gap,
      Trace trace,
      boolean damaged)
      throws IOException, InterruptedException {
    long from = Tsc.read();
    Peer peer = copied.booted().peer();
    var folders = new LinkedHashMap<Integer, Path>();
    for (int root : copied.copy().inOrder(roots)) {
      Path folder = copied.copy().dump(root);
      from = trace.add("dump", from);
      List<ImageFindings.Descriptor> timers = ImageFindings.timerFds(folder);
      if (!timers.isEmpty()) {
        DumpedTimers.save(folder, timers, StagedContainers.inside(root));
        from = trace.add("dump-timers", from);
      }
      if (damaged) {
        damage(folder);
      }
      if (copied.disk().isEmpty()) {
        // B restores this one while the next is dumped here.
        copied.copy().sendDump(root, folder);
        peer.send(FrameType.RESTORE, Map.of(FrameType.IMAGES, images(copied, List.of(root))));
        from = trace.add("send-image", from);
      } else {
        folders.put(root, folder);
      }
    }
    disk.join();
    if (copied.disk().isPresent()) {
      copied.disk().get().release(copied.service().processes().processes(), gap, peer, trace);
      from = Tsc.read();
    }
    for (Map.Entry<Integer, Path> one : folders.entrySet()) {
      copied.copy().sendDump(one.getKey(), one.getValue());
      from = trace.add("send-image", from);
    }
  }

  /** By root PID, where B finds its last image. */
  static Map<String, Object> images(Stage.Copied copied, List<Integer> roots) {
    var images = new LinkedHashMap<String, Object>();
    for (int root : copied.copy().inOrder(roots)) {
      images.put(Integer.toString(root), copied.copy().dumpName(root));
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
