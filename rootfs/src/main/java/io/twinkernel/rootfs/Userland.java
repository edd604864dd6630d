package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * The userland of a node: programs from Debian packages as the recipe lists them, and our scripts.
 */
final class Userland {
  private final ImageCache cache;
  private final ProjectHome home;
  private final Recipe recipe;
  private final Progress progress;
  private final PackageArchive archive;
  private final List<DebianPackage> packages;
  private final List<NewerProgram> newer;

  private Userland(
      ImageCache cache,
      ProjectHome home,
      Recipe recipe,
      Progress progress,
      PackageArchive archive,
      List<DebianPackage> packages,
      List<NewerProgram> newer) {
    this.cache = cache;
    this.home = home;
    this.recipe = recipe;
    this.progress = progress;
    this.archive = archive;
    this.packages = packages;
    this.newer = newer;
  }

  /** Finds the newest versions of the recipe's packages; nothing is downloaded yet. */
  static Userland of(ImageCache cache, ProjectHome home, Recipe recipe, Progress progress)
      throws IOException, RootfsException, InterruptedException {
    PackageArchive archive = new PackageArchive(cache, progress);
    String question = "userland-" + new Digest().add("names", recipe.packages().toString()).key();
    List<DebianPackage> packages =
        archive.resolve(PackageArchive.Release.BOOKWORM, question, apt -> recipe.packages());
    List<NewerProgram> newer = new ArrayList<>();
    for (Recipe.Newer one : recipe.newer()) {
      newer.add(NewerProgram.of(cache, archive, progress, one));
    }
    return new Userland(cache, home, recipe, progress, archive, packages, newer);
  }

  /** Changes whenever any program or library does. */
  String key() {
    Digest digest = new Digest();
    newer.forEach(one -> digest.add("newer", one.key()));
    return digest
        .add("packages", packagesKey())
        .add("recipe", recipe.toString())
        .add("compression", Segment.COMPRESSION)
        .key();
  }

  /** Programs and libraries. */
  Segment programs() throws IOException, RootfsException, InterruptedException {
    Path folder =
        cache.entry(
            "userland",
            key(),
            into -> {
              Path unpacked = unpacked();
              for (NewerProgram program : newer) {
                program.unpacked();
              }
              progress.step("userland: pack", () -> Segment.write(archiveOf(unpacked), into));
            });
    return new Segment(folder);
  }

  /** A busybox that runs on any host. */
  Path busybox() throws IOException, RootfsException, InterruptedException {
    return unpacked().resolve("bin/busybox");
  }

  private String packagesKey() {
    Digest digest = new Digest();
    packages.forEach(one -> digest.add(one.file(), one.sha256()));
    return digest.key();
  }

  private Path unpacked() throws IOException, RootfsException, InterruptedException {
    return cache.entry(
        "packages",
        packagesKey(),
        into ->
            progress.step(
                "userland: download and unpack " + packages.size() + " Debian packages",
                () -> {
                  archive.unpack(PackageArchive.Release.BOOKWORM, packages, into);
                  return into;
                }));
  }

  /** /init and what it runs: small, and changed more often than the programs. */
  Segment scripts() throws IOException, RootfsException, InterruptedException {
    Path root = home.images().resolve("root");
    Digest digest = new Digest().add("compression", Segment.COMPRESSION);
    List<Path> files = ImageCache.files(root);
    for (Path file : files) {
      digest.add(root.relativize(file) + (Files.isExecutable(file) ? "*" : ""), file);
    }
    Path folder =
        cache.entry(
            "scripts",
            digest.key(),
            into -> {
              CpioWriter writer = new CpioWriter();
              for (Path file : files) {
                writer.file(
                    root.relativize(file).toString(), Files.isExecutable(file) ? 0755 : 0644, file);
              }
              Segment.write(writer, into);
            });
    return new Segment(folder);
  }

  private CpioWriter archiveOf(Path unpacked)
      throws IOException, RootfsException, InterruptedException {
    CpioWriter writer = new CpioWriter();
    for (List<String> folder : recipe.folders()) {
      writer.folder(folder.get(0), Integer.parseInt(folder.get(1), 8));
    }
    for (List<String> link : recipe.links()) {
      writer.link(link.get(0), link.get(1));
    }
    for (List<String> device : recipe.devices()) {
      writer.device(
          device.get(0),
          Integer.parseInt(device.get(1), 8),
          Integer.parseInt(device.get(2)),
          Integer.parseInt(device.get(3)));
    }
    SharedLibraries libraries = SharedLibraries.in(unpacked);
    TreeSet<String> taken = new TreeSet<>(recipe.taken());
    for (String path : recipe.taken()) {
      libraries.of(path).forEach(library -> taken.add("/" + unpacked.relativize(library)));
    }
    for (String path : taken) {
      Path file = unpacked.resolve(path.substring(1));
      if (!Files.isRegularFile(file)) {
        throw new RootfsException(
            RootfsException.Code.RECIPE,
            "the recipe takes " + path,
            "none of its packages holds that file",
            "Add the package to rootfs/src/main/images/node.recipe, or mend the path.");
      }
      writer.file(merged(path), Files.isExecutable(file) ? 0755 : 0644, file);
    }
    // The path that is compiled into every program as its loader.
    writer.file("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", 0755, libraries.loader());
    writer.link("usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
    for (String applet : applets(unpacked)) {
      String name = applet.substring(applet.lastIndexOf('/') + 1);
      if (!taken.contains("/usr/bin/" + name) && !taken.contains("/usr/sbin/" + name)) {
        writer.link("usr/bin/" + name, "busybox");
      }
    }
    writer.file("usr/bin/busybox", 0755, unpacked.resolve("bin/busybox"));
    for (NewerProgram program : newer) {
      program.put(writer);
    }
    return writer;
  }

  private static List<String> applets(Path unpacked) throws RootfsException, InterruptedException {
    return Command.run(unpacked, unpacked.resolve("bin/busybox").toString(), "--list").lines();
  }

  /** Where a file lies when /bin, /sbin and /lib are links to /usr. */
  static String merged(String path) {
    return path.startsWith("/usr/") ? path : "/usr" + path;
  }
}
