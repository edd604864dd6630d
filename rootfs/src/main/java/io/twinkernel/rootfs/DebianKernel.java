package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A kernel of Debian's: its packages, and where they are unpacked in the cache. */
final class DebianKernel implements Kernel.Parts {
  private static final String FOR_BUILDING = "linux-(headers|kbuild)-.*";
  private static final String KERNEL = "linux-(image|base|modules|binary|headers|kbuild)-.*";

  /** A compiler with the libraries it needs; not those that programs it makes would need. */
  private static final String TOOLS = "(gcc|cpp|binutils)-.*|lib(?!([alt]|ub|hwa)san).*|zlib1g";

  private final ImageCache cache;
  private final PackageArchive archive;
  private final Progress progress;
  private final PackageArchive.Release debian;
  private final List<DebianPackage> packages;
  private final String release;

  /**
   * @param packages as {@link #packages} named them
   * @param release as {@code uname -r} says it
   */
  DebianKernel(
      ImageCache cache,
      PackageArchive archive,
      Progress progress,
      PackageArchive.Release debian,
      List<DebianPackage> packages,
      String release) {
    this.cache = cache;
    this.archive = archive;
    this.progress = progress;
    this.debian = debian;
    this.packages = packages;
    this.release = release;
  }

  /** What a kernel consists of, and what builds modules for it where this system's does not do. */
  static List<String> packages(Apt apt, PackageArchive.Release debian, String release)
      throws RootfsException, InterruptedException {
    String headers = "linux-headers-" + release;
    List<String> kernel =
        apt.closure(List.of("linux-image-" + release, headers)).stream()
            .filter(one -> one.matches(KERNEL))
            .toList();
    if (debian == PackageArchive.Release.BOOKWORM) {
      return kernel;
    }
    return java.util.stream.Stream.concat(
            kernel.stream(),
            apt.closure(List.of(headers)).stream()
                .filter(one -> one.matches(TOOLS) && !(debian.isOlder() && one.equals("libc6"))))
        .distinct()
        .toList();
  }

  Kernel kernel() {
    return new Kernel(release, identity(packages), this);
  }

  @Override
  public Path image() throws IOException, RootfsException, InterruptedException {
    return binaries().resolve("vmlinuz");
  }

  @Override
  public Path modules() throws IOException, RootfsException, InterruptedException {
    return binaries().resolve("modules");
  }

  @Override
  public Path buildFolder() throws IOException, RootfsException, InterruptedException {
    List<DebianPackage> headers = packages.stream().filter(DebianKernel::isForBuilding).toList();
    Path unpacked =
        cache.entry(
            "kernel-headers",
            release + "-" + identity(headers).substring(0, 12),
            folder ->
                progress.step(
                    "Linux " + release + ": headers to build against",
                    () -> unpackHeaders(headers, folder)));
    return unpacked.resolve("usr/src/linux-headers-" + release);
  }

  @Override
  public BuildTools tools() throws IOException, RootfsException, InterruptedException {
    List<DebianPackage> tools =
        packages.stream().filter(one -> !one.name().matches(KERNEL)).toList();
    if (tools.isEmpty()) {
      return BuildTools.ofThisSystem();
    }
    return BuildTools.in(
        cache.entry(
            "tools",
            debian.codename() + "-" + identity(tools).substring(0, 12),
            folder ->
                progress.step(
                    "compiler of " + debian.codename(),
                    () -> {
                      archive.unpack(debian, tools, folder);
                      BuildTools.adapt(folder);
                      return folder;
                    })));
  }

  private Path binaries() throws IOException, RootfsException, InterruptedException {
    List<DebianPackage> binaries =
        packages.stream().filter(one -> one.name().matches(KERNEL) && !isForBuilding(one)).toList();
    return cache.entry(
        "kernel",
        release + "-" + identity(binaries).substring(0, 12),
        folder ->
            progress.step(
                "Linux " + release + ": download and unpack",
                () -> unpackBinaries(binaries, folder)));
  }

  private Path unpackBinaries(List<DebianPackage> binaries, Path folder)
      throws IOException, RootfsException, InterruptedException {
    Path unpacked = folder.resolve("unpacked");
    Files.createDirectories(unpacked);
    archive.unpack(debian, binaries, unpacked);
    Path modules =
        firstOf(
            unpacked.resolve("lib/modules").resolve(release),
            unpacked.resolve("usr/lib/modules").resolve(release));
    // From 7.3 on the image lies among the modules.
    Files.move(
        firstOf(unpacked.resolve("boot/vmlinuz-" + release), modules.resolve("vmlinuz")),
        folder.resolve("vmlinuz"));
    Files.move(modules, folder.resolve("modules"));
    ImageCache.delete(unpacked);
    return folder;
  }

  private static Path firstOf(Path path, Path other) {
    return Files.exists(path) ? path : other;
  }

  private Path unpackHeaders(List<DebianPackage> headers, Path folder)
      throws IOException, RootfsException, InterruptedException {
    archive.unpack(debian, headers, folder);
    try (var all = Files.newDirectoryStream(folder.resolve("usr/src"), "linux-headers-*")) {
      for (Path header : all) {
        Path makefile = header.resolve("Makefile");
        if (Files.isRegularFile(makefile, LinkOption.NOFOLLOW_LINKS)) {
          Files.writeString(makefile, relocated(Files.readString(makefile)));
        }
      }
    }
    if (debian != PackageArchive.Release.BOOKWORM) {
      BuildTools.adapt(folder);
    }
    return folder;
  }

  /**
   * A header package's Makefile that works wherever it lies: they name each other by the absolute
   * path where dpkg would put them.
   */
  static String relocated(String makefile) {
    String here = "$(dir $(realpath $(lastword $(MAKEFILE_LIST))))../";
    return makefile.replace("KBUILD_OUTPUT=", "KBUILD_OUTPUT:=").replace("/usr/src/", here);
  }

  private static boolean isForBuilding(DebianPackage one) {
    return one.name().matches(FOR_BUILDING);
  }

  private static String identity(List<DebianPackage> packages) {
    Map<String, String> sorted = new TreeMap<>();
    packages.forEach(one -> sorted.put(one.name(), one.sha256()));
    Digest digest = new Digest();
    sorted.forEach(digest::add);
    return digest.key();
  }
}
