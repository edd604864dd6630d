package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a kernel brings into the images: its bzImage, the modules it needs, and twin.ko. */
final class KernelFiles {
  private final ImageCache cache;
  private final TwinModule twin;
  private final Recipe recipe;
  private final Progress progress;

  KernelFiles(ImageCache cache, TwinModule twin, Recipe recipe, Progress progress) {
    this.cache = cache;
    this.twin = twin;
    this.recipe = recipe;
    this.progress = progress;
  }

  /**
   * @param image the bzImage
   * @param modules /lib/modules/RELEASE: plain .ko files, the list {@code twin.list} of those to
   *     load in order, and {@code twin.ko}, which is not in the list
   */
  record Built(Path image, Segment modules) {}

  Built build(Kernel kernel) throws IOException, RootfsException, InterruptedException {
    Path module = twin.build(kernel);
    String key =
        new Digest()
            .add("kernel", kernel.identity())
            .add("twin", module)
            .add("modules", recipe.modules().toString())
            .add("compression", Segment.COMPRESSION)
            .key();
    Path folder =
        cache.entry(
            "kernel-files",
            key,
            into -> {
              Path image = kernel.parts().image();
              Path modules = kernel.parts().modules();
              progress.step(
                  "Linux " + kernel.release() + ": pack its modules",
                  () -> {
                    Files.copy(image, into.resolve("vmlinuz"));
                    return Segment.write(archive(kernel.release(), modules, module), into);
                  });
            });
    return new Built(folder.resolve("vmlinuz"), new Segment(folder));
  }

  private CpioWriter archive(String release, Path modules, Path module)
      throws IOException, RootfsException, InterruptedException {
    ModuleSet set = ModuleSet.pick(modules, recipe.modules());
    String path = "/usr/lib/modules/" + release + "/";
    CpioWriter writer = new CpioWriter();
    List<String> list = new ArrayList<>();
    for (Map.Entry<String, ModuleFile> one : set.inOrder().entrySet()) {
      String name = one.getKey() + ".ko";
      writer.file(path + name, 0644, one.getValue().bytes());
      list.add(name);
    }
    writer.file(
        path + "twin.list",
        0644,
        (String.join("\n", list) + "\n").getBytes(StandardCharsets.US_ASCII));
    return writer.file(path + "twin.ko", 0644, module);
  }
}
