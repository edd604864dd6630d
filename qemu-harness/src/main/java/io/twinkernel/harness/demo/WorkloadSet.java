package io.twinkernel.harness.demo;

import java.util.List;

/** What moves beside Redis. */
public enum WorkloadSet {
  /** Nothing. */
  NONE,
  /** Those of which copies can wait in kernel B. */
  WAITING,
  /** Those that can move only by a full dump, a container among them, as well. */
  ALL;

  boolean any() {
    return this != NONE;
  }

  /** Names of layers of the image. */
  List<String> layers() {
    return switch (this) {
      case NONE -> List.of();
      case WAITING -> List.of("workloads", "waiting");
      case ALL -> List.of("workloads");
    };
  }
}
