package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds kernels by name in Debian's archive, stock and unpatched, cloud flavour. */
public final class KernelCatalog {
  private static final Pattern SERIES = Pattern.compile("([0-9]+)\\.([0-9]+)([.+-].*)?");
  private static final Pattern IMAGE =
      Pattern.compile("linux-image-([0-9]+\\.[0-9]+[.+-][0-9A-Za-z.+~-]*cloud-amd64)");
  private static final Pattern NUMBER = Pattern.compile("[0-9]+");

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

  private Kernel named(String name) throws IOException, RootfsException, InterruptedException {
    PackageArchive.Release suites = suitesOf(name);
    List<DebianPackage> packages =
        archive.resolve(suites, "kernel-" + name, apt -> packagesOf(apt, name));
    String release =
        newest(name, packages.stream().map(DebianPackage::name).toList()).orElseThrow();
    List<DebianPackage> binaries = packages.stream().filter(one -> !isForBuilding(one)).toList();
    List<DebianPackage> headers = packages.stream().filter(KernelCatalog::isForBuilding).toList();
    return new Kernel(
        release,
        identity(packages),
        new Kernel.Parts() {
          @Override
          public Path image() throws IOException, RootfsException, InterruptedException {
            return unpacked().resolve("vmlinuz");
          }

          @Override
          public Path modules() throws IOException, RootfsException, InterruptedException {
            return unpacked().resolve("modules");
          }

          private Path unpacked() throws IOException, RootfsException, InterruptedException {
            return cache.entry(
                "kernel",
                release + "-" + identity(binaries).substring(0, 12),
                folder ->
                    progress.step(
                        "Linux " + release + ": download and unpack",
                        () -> unpackBinaries(suites, binaries, release, folder)));
          }

          @Override
          public Path buildFolder() throws IOException, RootfsException, InterruptedException {
            Path unpacked =
                cache.entry(
                    "kernel-headers",
                    release + "-" + identity(headers).substring(0, 12),
                    folder ->
                        progress.step(
                            "Linux " + release + ": headers to build against",
                            () -> unpackHeaders(suites, headers, folder)));
            return unpacked.resolve("usr/src/linux-headers-" + release);
          }
        });
  }

  private Path unpackBinaries(
      PackageArchive.Release suites, List<DebianPackage> packages, String release, Path folder)
      throws IOException, RootfsException, InterruptedException {
    Path unpacked = folder.resolve("unpacked");
    Files.createDirectories(unpacked);
    archive.unpack(suites, packages, unpacked);
    Files.move(unpacked.resolve("boot/vmlinuz-" + release), folder.resolve("vmlinuz"));
    Path modules = unpacked.resolve("lib/modules").resolve(release);
    if (!Files.isDirectory(modules)) {
      modules = unpacked.resolve("usr/lib/modules").resolve(release);
    }
    Files.move(modules, folder.resolve("modules"));
    ImageCache.delete(unpacked);
    return folder;
  }

  private Path unpackHeaders(
      PackageArchive.Release suites, List<DebianPackage> packages, Path folder)
      throws IOException, RootfsException, InterruptedException {
    archive.unpack(suites, packages, folder);
    try (var headers = Files.newDirectoryStream(folder.resolve("usr/src"), "linux-headers-*")) {
      for (Path header : headers) {
        Path makefile = header.resolve("Makefile");
        if (Files.isRegularFile(makefile, LinkOption.NOFOLLOW_LINKS)) {
          String text = Files.readString(makefile);
          Files.writeString(makefile, relocated(text));
        }
      }
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

  private static List<String> packagesOf(Apt apt, String name)
      throws RootfsException, InterruptedException {
    Matcher series = SERIES.matcher(name);
    List<String> known =
        series.matches()
            ? apt.names("linux-image-" + series.group(1) + "." + series.group(2))
            : List.of();
    String release =
        newest(name, known)
            .orElseThrow(
                () ->
                    new RootfsException(
                        RootfsException.Code.UNKNOWN_KERNEL,
                        "no kernel " + name,
                        "the archive has no linux-image-" + name + "*-cloud-amd64",
                        "Name a series (6.1, 6.12), a release, or your own as BZIMAGE:MODULES."));
    return apt.closure(List.of("linux-image-" + release, "linux-headers-" + release)).stream()
        .filter(one -> one.matches("linux-(image|modules|binary|headers|kbuild)-.*"))
        .distinct()
        .toList();
  }

  /** The newest release of that name among packages. */
  static java.util.Optional<String> newest(String name, List<String> packages) {
    return packages.stream()
        .map(IMAGE::matcher)
        .filter(Matcher::matches)
        .map(matcher -> matcher.group(1))
        .filter(release -> release.equals(name) || release.matches(Pattern.quote(name) + "[.+-].*"))
        .max(BY_NUMBERS);
  }

  /** 6.12.9 before 6.12.10: releases differ in their numbers only. */
  private static final Comparator<String> BY_NUMBERS =
      (left, right) -> {
        List<Long> a = numbers(left);
        List<Long> b = numbers(right);
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
          int order = a.get(i).compareTo(b.get(i));
          if (order != 0) {
            return order;
          }
        }
        return Integer.compare(a.size(), b.size());
      };

  private static List<Long> numbers(String release) {
    return NUMBER.matcher(release).results().map(one -> Long.valueOf(one.group())).toList();
  }

  private static PackageArchive.Release suitesOf(String name) throws RootfsException {
    Matcher series = SERIES.matcher(name);
    if (!series.matches()) {
      throw new RootfsException(
          RootfsException.Code.UNKNOWN_KERNEL,
          "no kernel " + name,
          "that is neither a series nor a release",
          "Name a series (6.1, 6.12), a release, or your own as BZIMAGE:MODULES.");
    }
    int major = Integer.parseInt(series.group(1));
    int minor = Integer.parseInt(series.group(2));
    if (major < 6) {
      return PackageArchive.Release.BULLSEYE;
    }
    boolean own = major == 6 && minor <= 12 && !name.contains("+deb13");
    return own ? PackageArchive.Release.BOOKWORM : PackageArchive.Release.TRIXIE;
  }

  private static boolean isForBuilding(DebianPackage one) {
    return one.name().startsWith("linux-headers-") || one.name().startsWith("linux-kbuild-");
  }

  private static String identity(List<DebianPackage> packages) {
    Map<String, String> sorted = new TreeMap<>();
    packages.forEach(one -> sorted.put(one.name(), one.sha256()));
    Digest digest = new Digest();
    sorted.forEach(digest::add);
    return digest.key();
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
