package io.twinkernel.rootfs;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What programs of unpacked packages link to, by those packages' own loader: the host's would
 * answer for the host's libraries.
 *
 * @param root folder that the packages were unpacked into
 * @param loader the dynamic loader among them
 */
record SharedLibraries(Path root, Path loader) {
  /** File name of the dynamic loader in every release. */
  static final String LOADER = "ld-linux-x86-64.so.2";

  private static final List<String> FOLDERS =
      List.of("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu");
  private static final Pattern LINKED = Pattern.compile("\\s*(\\S+) => (\\S+|not found).*");

  static SharedLibraries in(Path root) throws RootfsException {
    return FOLDERS.stream()
        .map(folder -> root.resolve(folder).resolve(LOADER))
        .filter(Files::isRegularFile)
        .findFirst()
        .map(loader -> new SharedLibraries(root, loader))
        .orElseThrow(
            () ->
                new RootfsException(
                    RootfsException.Code.RECIPE,
                    "programs without a loader",
                    "none of the packages holds " + LOADER,
                    "Add the package libc6 to rootfs/src/main/images/node.recipe."));
  }

  /** The libraries of a program, direct and indirect, as they lie below the root. */
  List<Path> of(String program) throws RootfsException, InterruptedException {
    Command.Result result =
        Command.attempt(
            root,
            Map.of(),
            List.of(
                loader.toString(),
                "--inhibit-cache",
                "--library-path",
                String.join(
                    ":", FOLDERS.stream().map(one -> root.resolve(one).toString()).toList()),
                "--list",
                root.resolve(program.substring(1)).toString()));
    List<Path> found = new ArrayList<>();
    if (result.status() != 0 && result.tail().contains("statically linked")) {
      return found;
    }
    if (result.status() != 0 && result.tail().contains("cannot open shared object file")) {
      throw new RootfsException(
          RootfsException.Code.RECIPE,
          program + " needs a library",
          result.tail(),
          "Add its package to rootfs/src/main/images/node.recipe.");
    }
    for (String line : result.lines()) {
      Matcher matcher = LINKED.matcher(line);
      if (matcher.matches() && !matcher.group(1).endsWith(LOADER)) {
        Path library = Path.of(matcher.group(2));
        if (!library.startsWith(root)) {
          throw new RootfsException(
              RootfsException.Code.RECIPE,
              program + " needs the library " + matcher.group(1),
              "none of the recipe's packages holds it",
              "Add the package to rootfs/src/main/images/node.recipe.");
        }
        found.add(library);
      }
    }
    return found;
  }
}
