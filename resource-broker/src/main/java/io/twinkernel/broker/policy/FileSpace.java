package io.twinkernel.broker.policy;

import io.twinkernel.broker.disk.Mount;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The files that a process sees: the machine's, or those of a container.
 *
 * @param mounts by id
 * @param contained whether they are of a mount namespace of its own
 */
record FileSpace(Map<Integer, Mount> mounts, boolean contained) {

  FileSpace {
    mounts = Map.copyOf(mounts);
  }

  /** The mount of an open file; null where that is not known, or in another namespace. */
  @Nullable Mount of(Descriptor descriptor) {
    return mounts.get(descriptor.mount());
  }

  /** The mount of a mapped file, by its device and path; null for a device that is not mounted. */
  @Nullable Mount of(Mapping mapping) {
    Mount best = null;
    for (Mount mount : mounts.values()) {
      if (mount.device().equals(mapping.decimalDevice())
          && (best == null || better(mount, best, mapping.name()))) {
        best = mount;
      }
    }
    return best;
  }

  /** Several mounts may show a device: the file is on the one that lies nearest above it. */
  private static boolean better(Mount one, Mount other, String path) {
    boolean above = isAbove(one, path);
    boolean otherAbove = isAbove(other, path);
    if (above && otherAbove) {
      return one.point().length() > other.point().length();
    }
    return above != otherAbove ? above : one.id() < other.id();
  }

  private static boolean isAbove(Mount mount, String path) {
    return mount.point().equals("/")
        || path.equals(mount.point())
        || path.startsWith(mount.point() + "/");
  }

  /** Whether a container has something open that is not in its own mounts. */
  boolean isFromOutside(Descriptor descriptor) {
    return contained && descriptor.hasPath() && of(descriptor) == null;
  }

  /** Whether a mount shows the file system that the root is on. */
  boolean isOnRoot(Mount mount) {
    return mounts.values().stream()
        .anyMatch(root -> root.point().equals("/") && root.device().equals(mount.device()));
  }

  /**
   * A file's path in the file system that it is on.
   *
   * @param path as the container sees it
   */
  static String pathInside(Mount mount, String path) {
    String below = mount.point().equals("/") ? path : path.substring(mount.point().length());
    return mount.root().equals("/") ? below : mount.root() + below;
  }
}
