package io.twinkernel.rootfs;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The checkout, which holds the kernel module's sources and the files of the images.
 *
 * @param root its top folder
 */
public record ProjectHome(Path root) {
  /**
   * The folder that {@code -Dtwin.home} names, else the nearest one above the working directory.
   */
  public static ProjectHome find() throws RootfsException {
    String named = System.getProperty("twin.home", "");
    Path start = Path.of(named.isEmpty() ? System.getProperty("user.dir") : named).toAbsolutePath();
    for (Path path = start; path != null; path = path.getParent()) {
      if (Files.isRegularFile(path.resolve("kernel-patches/twin/twin.h"))) {
        return new ProjectHome(path);
      }
    }
    throw new RootfsException(
        RootfsException.Code.CHECKOUT,
        "the project's folder was not found",
        "no folder at or above " + start + " has kernel-patches/twin/twin.h",
        "Run it as ./twin, or name the checkout with -Dtwin.home=FOLDER.");
  }

  Path moduleSources() {
    return root.resolve("kernel-patches/twin");
  }

  Path images() {
    return root.resolve("rootfs/src/main/images");
  }
}
