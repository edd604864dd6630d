package io.twinkernel.rootfs;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A kernel that can be booted, and can have the twin module built for it.
 *
 * @param release as {@code uname -r} says it
 * @param identity changes whenever any file of it does
 */
public record Kernel(String release, String identity, Parts parts) {
  /** Gets at the files, which are downloaded if need be. */
  interface Parts {
    /** The bzImage. */
    Path image() throws IOException, RootfsException, InterruptedException;

    /** What would be /lib/modules/RELEASE. */
    Path modules() throws IOException, RootfsException, InterruptedException;

    /** Where to build modules for it: a folder for {@code make -C}. */
    Path buildFolder() throws IOException, RootfsException, InterruptedException;

    /** What to build them with. */
    BuildTools tools() throws IOException, RootfsException, InterruptedException;
  }
}
