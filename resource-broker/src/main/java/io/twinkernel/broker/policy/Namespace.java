package io.twinkernel.broker.policy;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Kinds of namespaces (namespaces(7)) that a process which moves has to share with the broker. Not
 * here: IPC, which CRIU takes along, and time, which a process that has moved has of its own.
 */
enum Namespace {
  MOUNT("mnt"),
  PID("pid"),
  NETWORK("net"),
  UTS("uts"),
  USER("user"),
  CGROUP("cgroup");

  private final String file;

  Namespace(String file) {
    this.file = file;
  }

  /** Its name in /proc/PID/ns. */
  String file() {
    return file;
  }

  /** As people call it. */
  String word() {
    return this == PID || this == UTS ? name() : name().toLowerCase(Locale.ROOT);
  }

  static List<Namespace> all() {
    return Arrays.asList(values());
  }
}
