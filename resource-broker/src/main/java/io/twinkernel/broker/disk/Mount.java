package io.twinkernel.broker.disk;

import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A line of /proc/PID/mountinfo (proc(5)).
 *
 * @param id of the mount
 * @param device major:minor, decimal
 * @param root the directory of the file system that is seen there; "/": all of it
 * @param point where it is mounted
 * @param options of the mount, such as {@code rw,noatime}
 * @param tags how mounts spread from and to it, such as {@code shared:4} and {@code master:1}
 * @param type of the file system
 * @param source what is mounted
 * @param superOptions of the file system, such as {@code rw,errors=remount-ro}
 */
public record Mount(
    int id,
    String device,
    String root,
    String point,
    List<String> options,
    List<String> tags,
    String type,
    String source,
    List<String> superOptions) {

  /** Words among the options that say what a flag of mount(2) or a security module says. */
  private static final Set<String> NO_DATA = Set.of("rw", "ro", "seclabel");

  /** Keeps the lists from changing. */
  public Mount {
    options = List.copyOf(options);
    tags = List.copyOf(tags);
    superOptions = List.copyOf(superOptions);
  }

  /**
   * Those that this process sees, in the kernel's order.
   *
   * @param root where {@code proc} is: {@code /}, or a captured tree
   */
  public static List<Mount> read(Path root) throws IOException {
    return parse(Files.readAllLines(root.resolve("proc/self/mountinfo")));
  }

  /** The mounts of a file's lines, in their order; a line that is cut off is left out. */
  public static List<Mount> parse(List<String> lines) {
    var found = new ArrayList<Mount>();
    for (String line : lines) {
      // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE SUPER_OPTIONS
      String[] words = line.split(" ", -1);
      for (int at = 6; at + 3 < words.length; at++) {
        if (words[at].equals("-")) {
          found.add(
              new Mount(
                  Integer.parseInt(words[0]),
                  words[2],
                  words[3],
                  words[4],
                  List.of(words[5].split(",", -1)),
                  List.of(words).subList(6, at),
                  words[at + 1],
                  words[at + 2],
                  List.of(words[at + 3].split(",", -1))));
          break;
        }
      }
    }
    return List.copyOf(found);
  }

  /** Whether what it holds is in this kernel's memory only. */
  public boolean inMemory() {
    return type.equals("tmpfs") || type.equals("ramfs") || type.equals("rootfs");
  }

  /** Whether it shows what the kernel itself knows: the other one shows its own. */
  public boolean ofTheKernel() {
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

  /** Whether nothing can be written there. */
  public boolean readOnly() {
    return options.contains("ro") || superOptions.contains("ro");
  }

  /** As mount(2) takes them to mount it alike. */
  public long flags() {
    long flags = readOnly() ? Linux.MS_RDONLY() : 0;
    for (String option : options) {
      flags |=
          switch (option) {
            case "nosuid" -> Linux.MS_NOSUID();
            case "nodev" -> Linux.MS_NODEV();
            case "noexec" -> Linux.MS_NOEXEC();
            case "noatime" -> Linux.MS_NOATIME();
            case "nodiratime" -> Linux.MS_NODIRATIME();
            default -> 0;
          };
    }
    // Without a word about it, access times are relative: the default of mount(2).
    boolean strict = (flags & Linux.MS_NOATIME()) == 0 && !options.contains("relatime");
    return strict ? flags | Linux.MS_STRICTATIME() : flags;
  }

  /** The file system's own options, likewise. */
  public String data() {
    return superOptions.stream()
        .filter(option -> !NO_DATA.contains(option))
        .collect(Collectors.joining(","));
  }
}
