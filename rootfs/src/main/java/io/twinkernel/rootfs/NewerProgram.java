package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A program of a later Debian release than the userland. It keeps the loader and the libraries that
 * it was built with, in a folder of its own, so that nothing else links to them; at its usual path
 * lies a script that starts it.
 */
final class NewerProgram {
  private final ImageCache cache;
  private final PackageArchive archive;
  private final Progress progress;
  private final Recipe.Newer what;
  private final List<DebianPackage> packages;

  private NewerProgram(
      ImageCache cache,
      PackageArchive archive,
      Progress progress,
      Recipe.Newer what,
      List<DebianPackage> packages) {
    this.cache = cache;
    this.archive = archive;
    this.progress = progress;
    this.what = what;
    this.packages = packages;
  }

  /** Finds the newest versions of its package and of all that this depends on. */
  static NewerProgram of(
      ImageCache cache, PackageArchive archive, Progress progress, Recipe.Newer what)
      throws IOException, RootfsException, InterruptedException {
    List<DebianPackage> packages =
        archive.resolve(
            what.release(), "program-" + what.name(), apt -> apt.closure(List.of(what.name())));
    return new NewerProgram(cache, archive, progress, what, packages);
  }

  /** Changes whenever the program or a library does. */
  String key() {
    Digest digest = new Digest();
    packages.forEach(one -> digest.add(one.file(), one.sha256()));
    return digest.key();
  }

  /** Adds the program, its loader and its libraries to an image. */
  void put(CpioWriter writer) throws IOException, RootfsException, InterruptedException {
    Path unpacked = unpacked();
    Path program = unpacked.resolve(what.path().substring(1));
    if (!Files.isRegularFile(program)) {
      throw new RootfsException(
          RootfsException.Code.RECIPE,
          "the recipe takes " + what.path(),
          "the package " + what.name() + " does not hold that file",
          "Mend the path in rootfs/src/main/images/node.recipe.");
    }
    SharedLibraries libraries = SharedLibraries.in(unpacked);
    for (Path library : libraries.of(what.path())) {
      writer.file(folder() + "/lib/" + library.getFileName(), 0644, library);
    }
    writer.file(loader(), 0755, libraries.loader());
    writer.file(binary(), 0755, program);
    writer.file(what.path(), 0755, script().getBytes(StandardCharsets.US_ASCII));
  }

  /** By the loader, and not by a path to it in the program: that file stays as Debian signed it. */
  private String script() {
    return "#!/bin/sh\nexec %s --library-path %s/lib %s \"$@\"\n"
        .formatted(loader(), folder(), binary());
  }

  private String folder() {
    return "/opt/" + what.name();
  }

  private String loader() {
    return folder() + "/" + SharedLibraries.LOADER;
  }

  private String binary() {
    return folder() + "/" + Path.of(what.path()).getFileName();
  }

  /** Its package and all that this depends on, downloaded and unpacked. */
  Path unpacked() throws IOException, RootfsException, InterruptedException {
    return cache.entry(
        "packages",
        key(),
        into ->
            progress.step(
                what.name() + ": download and unpack " + packages.size() + " Debian packages",
                () -> {
                  archive.unpack(what.release(), packages, into);
                  return into;
                }));
  }
}
