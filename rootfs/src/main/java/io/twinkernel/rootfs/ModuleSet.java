package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The modules of one kernel that the images need, in an order in which they can be loaded. What is
 * built into the kernel is left out.
 *
 * @param inOrder by name, each after those it needs
 */
record ModuleSet(Map<String, ModuleFile> inOrder) {
  /**
   * Picks modules from a folder such as /lib/modules/RELEASE.
   *
   * @param wanted names; one that starts with ? may be missing
   */
  static ModuleSet pick(Path modules, List<String> wanted)
      throws IOException, RootfsException, InterruptedException {
    Picker picker = new Picker(byName(modules), builtIn(modules));
    for (String name : wanted) {
      boolean optional = name.startsWith("?");
      String plain = ModuleFile.plainName(optional ? name.substring(1) : name);
      if (!picker.add(plain) && !optional) {
        throw new RootfsException(
            RootfsException.Code.MODULES,
            "kernel module " + name + " is missing",
            "it is neither in " + modules + " nor built into the kernel",
            "Use a kernel that is built with it.");
      }
    }
    return new ModuleSet(picker.inOrder);
  }

  private static final class Picker {
    private final Map<String, Path> files;
    private final Set<String> builtIn;
    private final Map<String, ModuleFile> inOrder = new LinkedHashMap<>();

    Picker(Map<String, Path> files, Set<String> builtIn) {
      this.files = files;
      this.builtIn = builtIn;
    }

    boolean add(String name) throws IOException, RootfsException, InterruptedException {
      Path file = files.get(name);
      if (file == null || inOrder.containsKey(name) || builtIn.contains(name)) {
        return file != null || builtIn.contains(name);
      }
      ModuleFile module = ModuleFile.read(file);
      for (String need : module.needs()) {
        if (!add(need)) {
          return false;
        }
      }
      inOrder.put(name, module);
      return true;
    }
  }

  private static Map<String, Path> byName(Path modules) throws IOException {
    Map<String, Path> files = new HashMap<>();
    for (Path file : ImageCache.files(modules.resolve("kernel"))) {
      nameOf(file.getFileName().toString()).ifPresent(name -> files.put(name, file));
    }
    return files;
  }

  private static Set<String> builtIn(Path modules) throws IOException {
    Path list = modules.resolve("modules.builtin");
    Set<String> names = new HashSet<>();
    if (Files.isRegularFile(list)) {
      for (String line : Files.readAllLines(list)) {
        nameOf(line.substring(line.lastIndexOf('/') + 1)).ifPresent(names::add);
      }
    }
    return names;
  }

  private static Optional<String> nameOf(String file) {
    int end = file.indexOf(".ko");
    return end > 0 ? Optional.of(ModuleFile.plainName(file.substring(0, end))) : Optional.empty();
  }
}
