package io.twinkernel.broker.policy;

import java.util.HashMap;
import java.util.Map;

/**
 * A line of /proc/PID/mountinfo.
 *
 * @param id of the mount
 * @param device major:minor, decimal
 * @param point where it is mounted
 * @param type of the file system
 * @param source what is mounted
 */
public record Mount(int id, String device, String point, String type, String source) {

  /** By id. */
  static Map<Integer, Mount> parse(String text) {
    var mounts = new HashMap<Integer, Mount>();
    for (String line : text.lines().toList()) {
      // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE OPTIONS
      String[] words = line.split(" ", -1);
      for (int at = 6; at + 2 < words.length; at++) {
        if (words[at].equals("-")) {
          int id = Integer.parseInt(words[0]);
          mounts.put(id, new Mount(id, words[2], words[4], words[at + 1], words[at + 2]));
          break;
        }
      }
    }
    return mounts;
  }

  /** Whether what it holds is in this kernel's memory only. */
  boolean inMemory() {
    return type.equals("tmpfs") || type.equals("ramfs") || type.equals("rootfs");
  }

  /** Whether it shows what the kernel itself knows: the other one shows its own. */
  boolean ofTheKernel() {
    return switch (type) {
      case "proc",
          "sysfs",
          "devtmpfs",
          "devpts",
          "cgroup2",
          "cgroup",
          "securityfs",
          "debugfs",
          "tracefs",
          "configfs",
          "bpf",
          "mqueue",
          "hugetlbfs" ->
          true;
      default -> false;
    };
  }
}
