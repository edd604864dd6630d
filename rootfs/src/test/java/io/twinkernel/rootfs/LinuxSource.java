package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Single files of Debian's source package of a kernel series, of which nothing else is kept. */
final class LinuxSource {
  private static final List<String> CHECKPATCH =
      List.of("scripts/checkpatch.pl", "scripts/spelling.txt", "scripts/const_structs.checkpatch");

  private LinuxSource() {}

  /** checkpatch.pl, with the lists that it reads beside it. */
  static Path checkpatch(ImageCache cache)
      throws IOException, RootfsException, InterruptedException {
    return unpack(cache, "6.12", CHECKPATCH).resolve(CHECKPATCH.getFirst());
  }

  /**
   * Unpacks files of the newest linux-source of a series that Debian 12 has.
   *
   * @param files paths below the top of the source
   * @return the folder that has them at their paths
   */
  static Path unpack(ImageCache cache, String series, List<String> files)
      throws IOException, RootfsException, InterruptedException {
    PackageArchive archive = new PackageArchive(cache, Progress.silent());
    String name = "linux-source-" + series;
    List<DebianPackage> packages =
        archive.resolve(PackageArchive.Release.BOOKWORM, name, apt -> List.of(name));
    return cache.entry(
        "linux-source",
        new Digest().add("package", packages.getFirst().sha256()).add("files", files + "").key(),
        into -> {
          Path unpacked = into.resolve("unpacked");
          Files.createDirectories(unpacked);
          archive.unpack(PackageArchive.Release.BOOKWORM, packages, unpacked);
          List<String> words =
              new ArrayList<>(
                  List.of(
                      "tar",
                      "-xf",
                      unpacked.resolve("usr/src/" + name + ".tar.xz").toString(),
                      "--strip-components=1",
                      // Nothing is read on once all are found.
                      "--occurrence=1"));
          files.forEach(file -> words.add(name + "/" + file));
          Command.run(into, words.toArray(String[]::new));
          ImageCache.delete(unpacked);
        });
  }
}
