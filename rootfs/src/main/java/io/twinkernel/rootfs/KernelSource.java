package io.twinkernel.rootfs;

import java.nio.file.Path;

/** Which kernel is meant: one that Debian has, or one that the user brings. */
public sealed interface KernelSource {
  /**
   * A kernel of Debian's.
   *
   * @param name a series such as {@code 6.12}, for its newest release, or a whole release such as
   *     {@code 6.1.0-56-cloud-amd64}
   */
  record Named(String name) implements KernelSource {}

  /**
   * A kernel from files.
   *
   * @param image a bzImage
   * @param modules the folder that would be /lib/modules/RELEASE, with the link or folder {@code
   *     build} to build against, or a {@code twin.ko} built for it
   */
  record Files(Path image, Path modules) implements KernelSource {}

  /** Reads {@code 6.12}, a whole release, or {@code BZIMAGE:MODULES}. */
  static KernelSource parse(String text) {
    int colon = text.indexOf(':');
    if (colon > 0) {
      return new Files(
          Path.of(text.substring(0, colon)).toAbsolutePath(),
          Path.of(text.substring(colon + 1)).toAbsolutePath());
    }
    return new Named(text);
  }
}
