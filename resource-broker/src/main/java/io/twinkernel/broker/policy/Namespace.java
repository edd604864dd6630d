package io.twinkernel.broker.policy;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Kinds of namespaces (namespaces(7)) by which a process may be in a container. Not here: IPC,
 * which CRIU takes along whoever is in it, and time, which a process that has moved has of its own.
 */
enum Namespace {
  MOUNT("mnt", ""),
  PID("pid", ""),
  UTS("uts", ""),
  NETWORK("net", "its interfaces (veth, macvlan) are this kernel's"),
  USER("user", "its files would belong to others"),
  CGROUP("cgroup", "CRIU would restore it in the machine's");

  private final String file;
  private final String obstacle;

  Namespace(String file, String obstacle) {
    this.file = file;
    this.obstacle = obstacle;
  }

  /** Its name in /proc/PID/ns. */
  String file() {
    return file;
  }

  /** Why one of a process's own does not go over with it; empty if it does. */
  String obstacle() {
    return obstacle;
  }

  /** Whether two have others of this kind; not where that of one is not known. */
  boolean differs(Map<Namespace, String> here, Map<Namespace, String> there) {
    String one = here.get(this);
    String other = there.get(this);
    return one != null && other != null && !one.equals(other);
  }

  /** As people call it. */
  String word() {
    return this == PID || this == UTS ? name() : name().toLowerCase(Locale.ROOT);
  }

  static List<Namespace> all() {
    return Arrays.asList(values());
  }
}
