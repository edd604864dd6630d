package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The newest QEMU of Debian's later release. It runs here by the loader and the libraries that it
 * was built with; nothing is installed. Of some ninety packages the cache keeps what a PC needs.
 */
final class EmulatorPackages {
  private static final PackageArchive.Release RELEASE = PackageArchive.Release.TRIXIE;
  static final String PACKAGE = "qemu-system-x86";
  private static final String PROGRAM = "qemu-system-x86_64";

  /** Where QEMU's package, and those of the firmware that it depends on, have what guests run. */
  private static final List<String> FIRMWARE =
      List.of("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu");

  /** A BIOS, a loader of kernels, a boot ROM; not other machines' trees and trace points. */
  private static final String FIRMWARE_FILES = "*.{bin,rom}";

  /** What is kept and where, so that another choice is another entry. */
  private static final String LAYOUT = "1";

  private final ImageCache cache;
  private final PackageArchive archive;
  private final Progress progress;
  private final List<DebianPackage> packages;

  private EmulatorPackages(
      ImageCache cache, PackageArchive archive, Progress progress, List<DebianPackage> packages) {
    this.cache = cache;
    this.archive = archive;
    this.progress = progress;
    this.packages = packages;
  }

  /** Finds the newest versions of its package and of all that this depends on. */
  static EmulatorPackages newest(ImageCache cache, Progress progress)
      throws IOException, RootfsException, InterruptedException {
    PackageArchive archive = new PackageArchive(cache, progress);
    List<DebianPackage> packages =
        archive.resolve(RELEASE, "emulator", apt -> apt.closure(List.of(PACKAGE)));
    return new EmulatorPackages(cache, archive, progress, packages);
  }

  /** Downloads it unless it is there. */
  Emulator emulator() throws IOException, RootfsException, InterruptedException {
    String key = key();
    Path folder =
        cache.entry(
            PACKAGE,
            key,
            into ->
                progress.step(
                    "QEMU: download and unpack " + packages.size() + " Debian packages",
                    () -> fill(into)));
    return Emulator.asked(startLine(folder), key);
  }

  private String key() {
    Digest digest = new Digest().add("layout", LAYOUT);
    packages.forEach(one -> digest.add(one.file(), one.sha256()));
    return digest.key();
  }

  /** Of what lies in an entry: its own loader, and not a path to that in the program. */
  static List<String> startLine(Path folder) {
    return List.of(
        folder.resolve("lib").resolve(SharedLibraries.LOADER).toString(),
        "--inhibit-cache",
        "--library-path",
        folder.resolve("lib").toString(),
        folder.resolve(PROGRAM).toString(),
        "-L",
        folder.resolve("firmware").toString());
  }

  private Path fill(Path folder) throws IOException, RootfsException, InterruptedException {
    Path unpacked = Files.createDirectory(folder.resolve("unpacked"));
    archive.unpack(RELEASE, packages, unpacked);
    Path program = unpacked.resolve("usr/bin").resolve(PROGRAM);
    if (!Files.isRegularFile(program)) {
      throw new RootfsException(
          RootfsException.Code.EMULATOR,
          "cannot take QEMU from Debian's packages",
          PACKAGE + " of " + RELEASE.codename() + " does not hold " + PROGRAM,
          "Set " + Emulator.CHOICE + " to the path of another qemu-system-x86_64.");
    }
    SharedLibraries libraries = SharedLibraries.in(unpacked);
    Path lib = Files.createDirectory(folder.resolve("lib"));
    for (Path library : libraries.of("/usr/bin/" + PROGRAM)) {
      copy(library, lib);
    }
    copy(libraries.loader(), lib);
    copy(program, folder);
    Path firmware = Files.createDirectory(folder.resolve("firmware"));
    for (String part : FIRMWARE) {
      copyAll(unpacked.resolve(part), firmware);
    }
    ImageCache.delete(unpacked);
    return folder;
  }

  private static void copyAll(Path from, Path to) throws IOException {
    if (!Files.isDirectory(from)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(from, FIRMWARE_FILES)) {
      for (Path file : files) {
        // Some are links, and some of these lead out of the packages.
        if (Files.isRegularFile(file) && !Files.exists(to.resolve(file.getFileName()))) {
          copy(file, to);
        }
      }
    }
  }

  /** A link is followed: what it leads to comes under the link's name. */
  private static void copy(Path file, Path folder) throws IOException {
    Files.copy(file, folder.resolve(file.getFileName()));
  }
}
