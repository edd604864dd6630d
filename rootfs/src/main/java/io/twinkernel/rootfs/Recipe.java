package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * What goes into the images, read from a plain file. Each line is one of
 *
 * <pre>
 * package NAME...        Debian packages to unpack
 * take PATH...           programs, libraries and files of theirs to put in, with the libraries they link to
 * tree FOLDER...         all files of theirs below a folder; only in a layer's recipe
 * compile SOURCE PATH    a C file as a static program, or a Java file's classes into a folder; only in a layer's recipe
 * newer PATH SUITE NAME [SERIES]  a program of a later Debian release, run with that release's own loader and
 *                        libraries; only where one of the kernels is of that series or a later one
 * link PATH TARGET       a symbolic link
 * folder PATH MODE       a folder, with an octal mode
 * device PATH MODE MAJOR MINOR   a character device
 * module NAME...         kernel modules to load at boot; ? before a name: if the kernel has it
 * </pre>
 *
 * Text after # is a comment.
 */
record Recipe(
    List<String> packages,
    List<String> taken,
    List<String> modules,
    List<Newer> newer,
    List<List<String>> links,
    List<List<String>> folders,
    List<List<String>> devices,
    List<String> trees,
    List<List<String>> compiled) {

  /**
   * A program of a later release than the rest.
   *
   * @param path where it lies in the image, and in its package
   * @param release whose package it is
   * @param name of the package; what it depends on comes with it
   * @param since the first series of kernels that needs it; empty if all do
   */
  record Newer(String path, PackageArchive.Release release, String name, String since) {}

  static Recipe read(Path file) throws IOException, RootfsException {
    Recipe recipe =
        new Recipe(
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>());
    for (String line : Files.readAllLines(file)) {
      List<String> words =
          Arrays.stream(line.replaceFirst("#.*", "").split("\\s+", -1))
              .filter(word -> !word.isEmpty())
              .toList();
      if (!words.isEmpty() && !recipe.put(words.getFirst(), words.subList(1, words.size()))) {
        throw new RootfsException(
            RootfsException.Code.RECIPE,
            "cannot read " + file,
            "the line \"" + line + "\" is not one of a recipe's",
            "See the class Recipe for what a recipe may say.");
      }
    }
    return recipe;
  }

  private boolean put(String kind, List<String> rest) {
    return switch (kind) {
      case "package" -> packages.addAll(rest);
      case "take" -> taken.addAll(rest);
      case "tree" -> trees.addAll(rest);
      case "compile" -> rest.size() == 2 && compiled.add(rest);
      case "module" -> modules.addAll(rest);
      case "newer" ->
          (rest.size() == 3 || rest.size() == 4)
              && putNewer(
                  rest.get(0), rest.get(1), rest.get(2), rest.size() == 4 ? rest.get(3) : "");
      case "link" -> rest.size() == 2 && links.add(rest);
      case "folder" -> rest.size() == 2 && folders.add(rest);
      case "device" -> rest.size() == 4 && devices.add(rest);
      default -> false;
    };
  }

  /** The same with more modules. */
  Recipe withModules(List<String> more) {
    List<String> all = new ArrayList<>(modules);
    all.addAll(more);
    return new Recipe(packages, taken, all, newer, links, folders, devices, trees, compiled);
  }

  /** The same with one program for each path: the last of those that these kernels need. */
  Recipe forKernels(String... releases) {
    String newest = Arrays.stream(releases).max(KernelNames.BY_NUMBERS).orElse("");
    var chosen = new LinkedHashMap<String, Newer>();
    newer.stream()
        .filter(one -> KernelNames.BY_NUMBERS.compare(one.since(), newest) <= 0)
        .forEach(one -> chosen.put(one.path(), one));
    return new Recipe(
        packages,
        taken,
        modules,
        List.copyOf(chosen.values()),
        links,
        folders,
        devices,
        trees,
        compiled);
  }

  private boolean putNewer(String path, String suite, String name, String since) {
    return PackageArchive.Release.named(suite)
        .map(release -> newer.add(new Newer(path, release, name, since)))
        .orElse(false);
  }
}
