package io.twinkernel.rootfs;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a machine boots from: kernel A and its initramfs, which carries kernel B and B's initrd
 * under {@code /boot/twin/RELEASE/}. The files lie in the cache and must not be changed.
 *
 * @param from release of A
 * @param to release of B
 * @param kernel A's bzImage
 * @param parts A's initramfs in pieces; {@link #writeInitramfs} joins them
 * @param twinKernel B's bzImage, as it lies in A
 * @param twinInitrd B's initrd, as it lies in A
 */
public record NodeImages(
    String from, String to, Path kernel, List<Path> parts, Path twinKernel, Path twinInitrd) {

  public NodeImages {
    parts = List.copyOf(parts);
  }

  /** B's kernel in A's file system, for an upgrade's {@code image}. */
  public String twinKernelPath() {
    return "/boot/twin/" + to + "/vmlinuz";
  }

  /** B's initrd in A's file system, for an upgrade's {@code initrd}. */
  public String twinInitrdPath() {
    return "/boot/twin/" + to + "/initrd";
  }

  /** Size of A's initramfs in bytes, without the node's configuration. */
  public long initramfsSize() throws IOException {
    long size = 0;
    for (Path part : parts) {
      size += Files.size(part);
    }
    return size;
  }

  /** Writes A's initramfs for one machine. */
  public void writeInitramfs(Path target, NodeConfig config) throws IOException {
    try (OutputStream out = Files.newOutputStream(target)) {
      for (Path part : parts) {
        Files.copy(part, out);
      }
      out.write(config.cpio());
    }
  }

  /**
   * Makes the images, or finds them made. What is missing is downloaded and built; each long step
   * is reported.
   */
  public static NodeImages build(
      ImageCache cache, KernelSource from, KernelSource to, BrokerApp app, Progress progress)
      throws RootfsException, InterruptedException {
    return build(cache, from, to, app, List.of(), progress);
  }

  /**
   * The same with more in them.
   *
   * @param layers names of folders in rootfs/src/main/images/layers
   */
  public static NodeImages build(
      ImageCache cache,
      KernelSource from,
      KernelSource to,
      BrokerApp app,
      List<String> layers,
      Progress progress)
      throws RootfsException, InterruptedException {
    try {
      return new Builder(cache, ProjectHome.find(), app, layers, progress).build(from, to);
    } catch (IOException e) {
      throw new RootfsException(
              RootfsException.Code.CACHE,
              "cannot build the images in " + cache.root(),
              String.valueOf(e),
              "Check the space on that disk; TWIN_CACHE names another folder.")
          .causedBy(e);
    }
  }

  private record Builder(
      ImageCache cache, ProjectHome home, BrokerApp app, List<String> layers, Progress progress) {

    NodeImages build(KernelSource from, KernelSource to)
        throws IOException, RootfsException, InterruptedException {
      KernelCatalog catalog = new KernelCatalog(cache, progress);
      Kernel a = catalog.find(from);
      Kernel b = catalog.find(to);
      Recipe recipe =
          Recipe.read(home.images().resolve("node.recipe")).forKernels(a.release(), b.release());
      Userland userland = Userland.of(cache, home, recipe, progress);
      List<Segment> extra = new ArrayList<>();
      List<String> modules = new ArrayList<>();
      for (String name : layers) {
        Layer layer = Layer.of(cache, home, name, progress);
        extra.add(layer.segment());
        modules.addAll(layer.modules());
      }
      KernelFiles kernelFiles =
          new KernelFiles(
              cache,
              new TwinModule(cache, home.moduleSources(), progress),
              recipe.withModules(modules),
              progress);
      KernelFiles.Built filesOfA = kernelFiles.build(a);
      KernelFiles.Built filesOfB = kernelFiles.build(b);
      JavaRuntime java = new JavaRuntime(cache, userland, app, progress);
      List<Segment> common = new ArrayList<>();
      common.addAll(List.of(userland.programs(), userland.scripts()));
      common.addAll(List.of(java.runtime(), java.application()));
      if (!app.training().isEmpty()) {
        common.add(java.aheadOfTimeCache());
      }
      common.addAll(extra);
      Path bundle = bundle(b.release(), common, filesOfB);
      List<Path> parts = new ArrayList<>();
      common.forEach(segment -> parts.add(segment.raw()));
      parts.add(filesOfA.modules().raw());
      parts.add(bundle.resolve("bundle.cpio"));
      return new NodeImages(
          a.release(),
          b.release(),
          filesOfA.image(),
          parts,
          bundle.resolve("vmlinuz"),
          bundle.resolve("initrd"));
    }

    /** Kernel B with its initrd, packed for A's file system. */
    private Path bundle(String release, List<Segment> common, KernelFiles.Built files)
        throws IOException, RootfsException, InterruptedException {
      List<Segment> segments = new ArrayList<>(common);
      segments.add(files.modules());
      Digest digest = new Digest().add("release", release).add("image", files.image());
      for (Segment segment : segments) {
        digest.add("segment", segment.folder().getFileName().toString());
      }
      return cache.entry(
          "bundle",
          digest.key(),
          folder -> {
            Path kernel = folder.resolve("vmlinuz");
            Path initrd = folder.resolve("initrd");
            Files.copy(files.image(), kernel);
            try (OutputStream out = Files.newOutputStream(initrd)) {
              for (Segment segment : segments) {
                Files.copy(segment.packed(), out);
              }
            }
            String path = "/boot/twin/" + release;
            new CpioWriter()
                .file(path + "/vmlinuz", 0644, kernel)
                .file(path + "/initrd", 0644, initrd)
                .write(folder.resolve("bundle.cpio"));
          });
    }
  }
}
