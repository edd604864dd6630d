package io.twinkernel.broker.policy;

/**
 * An open descriptor of a process.
 *
 * @param number of it
 * @param target where /proc/PID/fd/NUMBER leads: a path, or as {@code socket:[4711]}
 * @param mount id of the mount that it is on, from fdinfo; 0 where that does not tell
 * @param bytes size of the file behind it, 0 where it has none
 */
public record Descriptor(int number, String target, int mount, long bytes) {

  private static final String DELETED = " (deleted)";

  /** Whether it is a file that has lost its name. */
  boolean deleted() {
    return target.endsWith(DELETED);
  }

  /** Whether it is a file with a path, not a pipe, socket or the like. */
  boolean hasPath() {
    return target.startsWith("/") && !target.startsWith("/memfd:");
  }

  /** The path that it has or had. */
  String path() {
    return deleted() ? target.substring(0, target.length() - DELETED.length()) : target;
  }

  /** The number in {@code pipe:[4711]}; empty for other kinds. */
  String inode(String kind) {
    return target.startsWith(kind + ":[")
        ? target.substring(kind.length() + 2, target.length() - 1)
        : "";
  }
}
