package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Builds the twin kernel module out of tree, for one kernel at a time. */
final class TwinModule {
  /** Debian 12's own, for a kernel whose configuration does not name its compiler. */
  private static final String COMPILER = "gcc-12";

  /** Whatever else than files the build says: nothing, unless something is wrong. */
  static final String LOG = "build.log";

  private static final String COMPILER_OF_KERNEL = "CONFIG_CC_VERSION_TEXT=";

  /** The build id is a hash over debug information, paths included. */
  private static final List<String> STRIP =
      List.of("strip", "--strip-debug", "--remove-section=.note.gnu.build-id");

  /**
   * No type information for BPF: it needs pahole, which does not sort it the same twice; so the
   * build need not compare its version either.
   */
  private static final List<String> OPTIONS =
      List.of(
          "-s", "CONFIG_DEBUG_INFO_BTF_MODULES=", "CONFIG_PAHOLE_VERSION=0", "PAHOLE_VERSION=0");

  /** For make: as many compilers as there are CPUs. */
  static final String JOBS = "-j" + Runtime.getRuntime().availableProcessors();

  private final ImageCache cache;
  private final Path sources;
  private final Progress progress;

  TwinModule(ImageCache cache, Path sources, Progress progress) {
    this.cache = cache;
    this.sources = sources;
    this.progress = progress;
  }

  /** The module for that kernel, as {@code twin.ko} in a folder of the cache. */
  Path build(Kernel kernel) throws IOException, RootfsException, InterruptedException {
    Digest digest = new Digest().add("kernel", kernel.identity()).add("compiler", compiler());
    digest.add("options", OPTIONS + " " + STRIP);
    List<Path> files = sourceFiles();
    for (Path file : files) {
      digest.add(file.getFileName().toString(), file);
    }
    Path entry =
        cache.entry(
            "twin",
            digest.key(),
            folder -> {
              Path headers = kernel.parts().buildFolder();
              progress.step(
                  "Linux " + kernel.release() + ": build twin.ko",
                  () -> make(kernel, headers, files, folder));
            });
    return entry.resolve("twin.ko");
  }

  private List<Path> sourceFiles() throws IOException {
    try (var all = Files.list(sources)) {
      return all.filter(
              file ->
                  file.getFileName().toString().matches("Makefile|Kbuild|[A-Za-z0-9_-]+\\.[chS]"))
          .filter(file -> !file.toString().endsWith(".mod.c"))
          .sorted()
          .toList();
    }
  }

  /** The name of the program that a kernel was compiled with. */
  static String compilerOf(Path headers) throws IOException {
    Path configuration = headers.resolve("include/config/auto.conf");
    if (!Files.isRegularFile(configuration)) {
      return COMPILER;
    }
    try (var lines = Files.lines(configuration)) {
      return lines
          .filter(line -> line.startsWith(COMPILER_OF_KERNEL))
          .map(line -> line.substring(COMPILER_OF_KERNEL.length()).replace("\"", ""))
          .map(text -> text.split(" ", 2)[0])
          .filter(name -> name.matches("[A-Za-z0-9_.+-]+"))
          .findFirst()
          .orElse(COMPILER);
    }
  }

  private static String compiler() throws RootfsException, InterruptedException {
    return Command.run(Path.of("/"), COMPILER, "--version").lines().getFirst();
  }

  private static Path make(Kernel kernel, Path headers, List<Path> files, Path folder)
      throws IOException, RootfsException, InterruptedException {
    Path build = folder.resolve("build");
    Files.createDirectories(build);
    for (Path file : files) {
      Files.copy(file, build.resolve(file.getFileName().toString()));
    }
    List<String> make =
        new ArrayList<>(List.of("make", JOBS, "-C", headers.toString(), "M=" + build));
    make.addAll(OPTIONS);
    make.addAll(List.of("CC=" + compilerOf(headers), "modules"));
    Map<String, String> environment = new HashMap<>(kernel.parts().tools().environment());
    // Where it was built must not show in its bytes.
    environment.put("KCFLAGS", "-ffile-prefix-map=" + build + "=.");
    Command.Result result = Command.attempt(build, environment, make);
    if (result.status() != 0) {
      throw new RootfsException(
          RootfsException.Code.MODULE_BUILD,
          "the twin module does not build for " + kernel.release(),
          result.tail(),
          "Check that this kernel's headers and its compiler are complete (./twin setup).");
    }
    List<String> strip = new ArrayList<>(STRIP);
    strip.add("twin.ko");
    Command.run(build, environment, strip);
    Files.writeString(folder.resolve(LOG), result.text() + result.errors());
    Files.move(build.resolve("twin.ko"), folder.resolve("twin.ko"));
    ImageCache.delete(build);
    return folder;
  }
}
