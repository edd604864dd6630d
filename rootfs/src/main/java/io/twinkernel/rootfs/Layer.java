package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What an image holds beyond a node's userland: a folder {@code layers/NAME} with a {@code recipe},
 * files to put in below {@code root}, and sources. It is not in an image unless it is asked for.
 * Packages come with all that they depend on, but only what the recipe takes is put in.
 */
final class Layer {
  private static final Pattern INCLUDE =
      Pattern.compile("^#include \"([^\"]+)\"", Pattern.MULTILINE);

  private final ImageCache cache;
  private final Progress progress;
  private final PackageArchive archive;
  private final Path folder;
  private final Recipe recipe;
  private final List<DebianPackage> packages;

  private Layer(
      ImageCache cache,
      Progress progress,
      PackageArchive archive,
      Path folder,
      Recipe recipe,
      List<DebianPackage> packages) {
    this.cache = cache;
    this.progress = progress;
    this.archive = archive;
    this.folder = folder;
    this.recipe = recipe;
    this.packages = packages;
  }

  /** Finds the newest versions of its packages. */
  static Layer of(ImageCache cache, ProjectHome home, String name, Progress progress)
      throws IOException, RootfsException, InterruptedException {
    Path folder = home.images().resolve("layers").resolve(name);
    if (!Files.isRegularFile(folder.resolve("recipe"))) {
      throw new RootfsException(
          RootfsException.Code.RECIPE,
          "no image layer '" + name + "'",
          "there is no " + folder.resolve("recipe"),
          "Name a folder of rootfs/src/main/images/layers.");
    }
    Recipe recipe = Recipe.read(folder.resolve("recipe"));
    PackageArchive archive = new PackageArchive(cache, progress);
    String question =
        "layer-" + name + "-" + new Digest().add("names", recipe.packages().toString()).key();
    List<DebianPackage> packages =
        recipe.packages().isEmpty()
            ? List.of()
            : archive.resolve(
                PackageArchive.Release.BOOKWORM, question, apt -> apt.closure(recipe.packages()));
    return new Layer(cache, progress, archive, folder, recipe, packages);
  }

  /** Kernel modules that it needs. */
  List<String> modules() {
    return recipe.modules();
  }

  Segment segment() throws IOException, RootfsException, InterruptedException {
    Digest digest = new Digest().add("compression", Segment.COMPRESSION);
    packages.forEach(one -> digest.add(one.file(), one.sha256()));
    for (Path file : ImageCache.files(folder)) {
      digest.add(folder.relativize(file) + (Files.isExecutable(file) ? "*" : ""), file);
      for (Path header : headers(file)) {
        digest.add("header " + header.getFileName(), header);
      }
    }
    String name = folder.getFileName().toString();
    return new Segment(
        cache.entry(
            "layer",
            digest.key(),
            into -> {
              Path unpacked = unpacked(name);
              progress.step(
                  "layer " + name + ": compile and pack",
                  () -> Segment.write(archiveOf(unpacked, into), into));
            }));
  }

  /** What a C program includes by its path, from elsewhere in the project. */
  private static List<Path> headers(Path source) throws IOException {
    if (!source.toString().endsWith(".c")) {
      return List.of();
    }
    return INCLUDE
        .matcher(Files.readString(source))
        .results()
        .map(include -> source.resolveSibling(include.group(1)).normalize())
        .toList();
  }

  private Path unpacked(String name) throws IOException, RootfsException, InterruptedException {
    if (packages.isEmpty()) {
      return cache.entry("packages", "none", _ -> {});
    }
    Digest digest = new Digest();
    packages.forEach(one -> digest.add(one.file(), one.sha256()));
    return cache.entry(
        "packages",
        digest.key(),
        into ->
            progress.step(
                "layer " + name + ": download and unpack " + packages.size() + " Debian packages",
                () -> {
                  archive.unpack(PackageArchive.Release.BOOKWORM, packages, into);
                  return into;
                }));
  }

  private CpioWriter archiveOf(Path unpacked, Path work)
      throws IOException, RootfsException, InterruptedException {
    CpioWriter writer = new CpioWriter();
    for (List<String> one : recipe.folders()) {
      writer.folder(one.get(0), Integer.parseInt(one.get(1), 8));
    }
    for (List<String> link : recipe.links()) {
      writer.link(link.get(0), link.get(1));
    }
    var taken = new TreeSet<String>(recipe.taken());
    for (String tree : recipe.trees()) {
      try (Stream<Path> files = Files.walk(unpacked.resolve(tree.substring(1)))) {
        files
            .filter(Files::isRegularFile)
            .forEach(file -> taken.add("/" + unpacked.relativize(file)));
      }
    }
    if (!recipe.taken().isEmpty()) {
      SharedLibraries libraries = SharedLibraries.in(unpacked);
      for (String path : recipe.taken()) {
        libraries.of(path).forEach(library -> taken.add("/" + unpacked.relativize(library)));
      }
    }
    for (String path : taken) {
      Path file = unpacked.resolve(path.substring(1));
      if (!Files.isRegularFile(file)) {
        throw new RootfsException(
            RootfsException.Code.RECIPE,
            "the recipe takes " + path,
            "none of its packages holds that file",
            "Mend the path in " + folder.resolve("recipe") + ".");
      }
      writer.file(Userland.merged(path), Files.isExecutable(file) ? 0755 : 0644, file);
    }
    compile(writer, work);
    Path root = folder.resolve("root");
    if (Files.isDirectory(root)) {
      for (Path file : ImageCache.files(root)) {
        int mode = Files.isExecutable(file) ? 0755 : 0644;
        writer.file(root.relativize(file).toString(), mode, file);
      }
    }
    return writer;
  }

  /** Programs of our own: C as a static program, Java as classes. */
  private void compile(CpioWriter writer, Path work)
      throws IOException, RootfsException, InterruptedException {
    for (List<String> one : recipe.compiled()) {
      Path source = folder.resolve(one.get(0));
      Path out = Files.createDirectories(work.resolve("compiled-" + source.getFileName()));
      if (source.toString().endsWith(".java")) {
        Path javac = Path.of(System.getProperty("java.home"), "bin", "javac");
        Command.run(work, javac.toString(), "-d", out.toString(), source.toString());
      } else {
        String program = out.resolve("program").toString();
        List<String> words =
            new ArrayList<>(List.of("x86_64-linux-gnu-gcc-12", "-O2", "-Wall", "-Werror"));
        words.addAll(List.of("-static", "-pthread", "-s", "-o", program, source.toString()));
        Command.run(work, words.toArray(String[]::new));
      }
      for (Path file : ImageCache.files(out)) {
        boolean classFile = file.toString().endsWith(".class");
        String path = classFile ? one.get(1) + "/" + out.relativize(file) : one.get(1);
        writer.file(path, classFile ? 0644 : 0755, Files.readAllBytes(file));
      }
      ImageCache.delete(out);
    }
  }
}
