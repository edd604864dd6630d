package io.twinkernel.broker.disk;

import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A line of /proc/self/mountinfo (proc(5)).
 *
 * @param device major:minor, decimal
 * @param root the directory of the file system that is seen there; "/": all of it
 * @param point where it is mounted
 * @param options of the mount, such as {@code rw,noatime}
 * @param type of the file system
 * @param superOptions of the file system, such as {@code rw,errors=remount-ro}
 */
public record MountEntry(
    String device,
    String root,
    String point,
    List<String> options,
    String type,
    List<String> superOptions) {

  /** Words among the options that say what a flag of mount(2) or a security module says. */
  private static final Set<String> NO_DATA = Set.of("rw", "ro", "seclabel");

  /** Keeps the lists from changing. */
  public MountEntry {
    options = List.copyOf(options);
    superOptions = List.copyOf(superOptions);
  }

  /**
   * Those that this process sees, in the kernel's order.
   *
   * @param root where {@code proc} is: {@code /}, or a captured tree
   */
  public static List<MountEntry> read(Path root) throws IOException {
    return parse(Files.readAllLines(root.resolve("proc/self/mountinfo")));
  }

  static List<MountEntry> parse(List<String> lines) {
    var found = new ArrayList<MountEntry>();
    for (String line : lines) {
      // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE SUPER_OPTIONS
      String[] words = line.split(" ", -1);
      if (words.length < 7) {
        continue;
      }
      int dash = Arrays.asList(words).subList(6, words.length).indexOf("-") + 6;
      if (dash > 5 && dash + 3 < words.length) {
        found.add(
            new MountEntry(
                words[2],
                words[3],
                words[4],
                List.of(words[5].split(",", -1)),
                words[dash + 1],
                List.of(words[dash + 3].split(",", -1))));
      }
    }
    return List.copyOf(found);
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
