package io.twinkernel.broker.process;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What of a container's mounts is the machine's, and is found there by CRIU when it restores the
 * container. All others it makes itself.
 *
 * @param root directory that is its root file system
 * @param flags with which that is mounted, as mount(2) takes them
 * @param devices device files by where they are mounted in it: a runtime puts /dev/null on what is
 *     not to be seen
 */
public record ContainerMounts(Path root, long flags, Map<String, String> devices) {

  /** Keeps the map from changing, and in order. */
  public ContainerMounts {
    devices = Collections.unmodifiableMap(new TreeMap<>(devices));
  }

  /** As {@code --external} names them in a dump: each by where it is mounted. */
  List<String> dumped() {
    return devices.keySet().stream().map(point -> "mnt[" + point + "]:" + point).toList();
  }

  /** As {@code --external} names them in a restore: what to mount for each. */
  List<String> restored() {
    return devices.entrySet().stream()
        .map(one -> "mnt[" + one.getKey() + "]:" + one.getValue())
        .toList();
  }
}
