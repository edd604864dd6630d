package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Finds kernels by name in Debian's archive, stock and unpatched. */
public final class KernelCatalog {
  private final ImageCache cache;
  private final PackageArchive archive;
  private final Progress progress;

  public KernelCatalog(ImageCache cache, Progress progress) {
    this.cache = cache;
    this.archive = new PackageArchive(cache, progress);
    this.progress = progress;
  }

  /** Finds the kernel; its files are downloaded only when they are needed. */
  public Kernel find(KernelSource source)
      throws IOException, RootfsException, InterruptedException {
    return switch (source) {
      case KernelSource.Named(String name) -> named(name);
      case KernelSource.Files(Path image, Path modules) -> fromFiles(image, modules);
    };
  }

  /** In the first release of Debian that has it, or, where it is the newest, of all. */
  private Kernel named(String name) throws IOException, RootfsException, InterruptedException {
    List<Kernel> found = new ArrayList<>();
    Optional<RootfsException> failure = Optional.empty();
    for (PackageArchive.Release debian : KernelNames.suites(name)) {
      try {
        found.add(in(debian, name));
        if (!name.equals(KernelNames.NEWEST)) {
          break;
        }
      } catch (RootfsException e) {
        if (e.code() != RootfsException.Code.UNKNOWN_KERNEL) {
          throw e;
        }
        failure = Optional.of(e);
      }
    }
    if (found.isEmpty() && failure.isPresent()) {
      throw failure.get();
    }
    return found.stream()
        .max(Comparator.comparing(Kernel::release, KernelNames.BY_NUMBERS))
        .orElseThrow();
  }

  private Kernel in(PackageArchive.Release debian, String name)
      throws IOException, RootfsException, InterruptedException {
    List<DebianPackage> packages =
        archive.resolve(
            debian,
            "kernel-" + name,
            apt -> DebianKernel.packages(apt, debian, newest(apt, debian, name)));
    String release =
        KernelNames.newest(name, packages.stream().map(DebianPackage::name).toList()).orElseThrow();
    return new DebianKernel(cache, archive, progress, debian, packages, release).kernel();
  }

  private static String newest(Apt apt, PackageArchive.Release debian, String name)
      throws RootfsException, InterruptedException {
    return KernelNames.newest(name, names(apt, KernelNames.series(name).orElse("")))
        .orElseThrow(
            () ->
                KernelNames.unknown(
                    name,
                    debian.codename()
                        + " has no linux-image-"
                        + name
                        + "* of the cloud flavour with its headers"));
  }

  private static List<String> names(Apt apt, String prefix)
      throws RootfsException, InterruptedException {
    List<String> names = new ArrayList<>(apt.names("linux-image-" + prefix));
    names.addAll(apt.names("linux-headers-" + prefix));
    return names;
  }

  /** Every kernel, of every flavour, that a release of Debian has with its headers. */
  List<String> releases(PackageArchive.Release debian)
      throws IOException, RootfsException, InterruptedException {
    return archive.ask(debian, apt -> KernelNames.complete(names(apt, "")));
  }

  private static Kernel fromFiles(Path image, Path modules) throws IOException, RootfsException {
    if (!Files.isRegularFile(image)) {
      throw new RootfsException(
          RootfsException.Code.NOT_A_KERNEL,
          image + " cannot be booted",
          "there is no such file",
          "Give a bzImage, for example /boot/vmlinuz-RELEASE.");
    }
    String release = BzImage.release(image);
    if (!Files.isDirectory(modules.resolve("kernel"))) {
      throw new RootfsException(
          RootfsException.Code.MODULES,
          modules + " holds no modules for " + release,
          "it has no folder kernel/",
          "Give the folder that make modules_install filled: .../lib/modules/" + release + ".");
    }
    Digest digest = new Digest().add("image", image);
    List<Path> files = new ArrayList<>(ImageCache.files(modules.resolve("kernel")));
    for (Path file : files) {
      digest.add(file.toString(), Files.size(file) + "@" + Files.getLastModifiedTime(file));
    }
    Path own = modules.toRealPath();
    return new Kernel(
        release,
        digest.key(),
        new Kernel.Parts() {
          @Override
          public Path image() {
            return image;
          }

          @Override
          public Path modules() {
            return own;
          }

          @Override
          public BuildTools tools() {
            return BuildTools.ofThisSystem();
          }

          @Override
          public Path buildFolder() throws RootfsException {
            Path build = own.resolve("build");
            if (!Files.isDirectory(build)) {
              throw new RootfsException(
                  RootfsException.Code.MODULE_BUILD,
                  "cannot build the twin module for " + release,
                  own + " has no build folder",
                  "Let " + own + "/build point at the kernel's build or header folder.");
            }
            return build;
          }
        });
  }
}
