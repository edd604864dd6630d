package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The address space of a process, as {@code /proc/PID/maps} says it (fs/proc/task_mmu.c).
 *
 * @param text the file's content: two equal ones are the same areas
 */
record MemoryMap(String text, List<Area> areas) {

  /**
   * A range of addresses.
   *
   * @param start its first address
   * @param end the address after its last
   * @param permissions as in {@code rw-p}
   * @param name the file's path, a name in brackets, or empty
   */
  record Area(long start, long end, String permissions, String name) {
    boolean shared() {
      return permissions.charAt(3) == 's';
    }

    private boolean isFollowedBy(Area next) {
      return end == next.start
          && permissions.equals(next.permissions())
          && name.equals(next.name());
    }

    boolean writable() {
      return permissions.charAt(1) == 'w';
    }

    /** The kernel's own pages, which each kernel has of its own. */
    boolean kernels() {
      return name.startsWith("[v");
    }

    /** Whether it is memory that other processes may write, too, and no file that has a name. */
    boolean sharedMemory() {
      return writable() && sharedWithoutName();
    }

    /** Likewise, whether or not this one may write to it now. */
    boolean sharedWithoutName() {
      return shared()
          && (name.equals("/dev/zero (deleted)")
              || name.startsWith("/SYSV")
              || (name.startsWith("/memfd:") && name.endsWith(" (deleted)")));
    }

    /** Whether a range of addresses is in part its own. */
    boolean meets(long first, long bytes) {
      return first < end && first + bytes > start;
    }

    /** Whether it may hold pages that are this process's alone. */
    boolean copied() {
      return !shared() && !kernels() && !permissions.startsWith("---");
    }
  }

  MemoryMap {
    areas = List.copyOf(areas);
  }

  static MemoryMap read(int pid) throws IOException {
    return parse(SysFiles.read(file(pid)));
  }

  /** Whether a process has just these areas now. */
  boolean isThatOf(int pid) throws IOException {
    return SysFiles.read(file(pid)).equals(text);
  }

  /**
   * Whether two processes have the same addresses in the same use, even if areas that adjoin each
   * other are one in the one and two in the other.
   */
  boolean covers(MemoryMap other) {
    return joined().equals(other.joined());
  }

  private List<Area> joined() {
    var joined = new ArrayList<Area>();
    for (Area area : areas) {
      if (!joined.isEmpty() && area.name().isEmpty() && joined.getLast().isFollowedBy(area)) {
        Area last = joined.removeLast();
        joined.add(new Area(last.start(), area.end(), area.permissions(), area.name()));
      } else {
        joined.add(area);
      }
    }
    return joined;
  }

  private static String file(int pid) {
    return "/proc/" + pid + "/maps";
  }

  /**
   * @throws IOException naming the line that is none of the format
   */
  static MemoryMap parse(String text) throws IOException {
    var areas = new ArrayList<Area>();
    for (int from = 0, to; (to = text.indexOf('\n', from)) >= 0; from = to + 1) {
      areas.add(area(text, from, to));
    }
    return new MemoryMap(text, areas);
  }

  private static Area area(String text, int from, int to) throws IOException {
    int dash = text.indexOf('-', from);
    int space = text.indexOf(' ', from);
    if (dash < 0 || space < dash || space + 5 > to) {
      throw new IOException("not an area of memory: " + text.substring(from, to));
    }
    try {
      long start = Long.parseUnsignedLong(text, from, dash, 16);
      long end = Long.parseUnsignedLong(text, dash + 1, space, 16);
      return new Area(start, end, text.substring(space + 1, space + 5), name(text, space, to));
    } catch (NumberFormatException e) {
      throw new IOException("not an area of memory: " + text.substring(from, to), e);
    }
  }

  /** What follows permissions, offset, device and inode. */
  private static String name(String text, int space, int to) {
    int at = space;
    for (int field = 0; field < 4 && at >= 0 && at < to; field++) {
      at = text.indexOf(' ', at + 1);
    }
    return at < 0 || at >= to ? "" : text.substring(at, to).strip();
  }

  /** An area that is a file's below a directory, if there is one. */
  Optional<Area> below(String directory) {
    return directory.isEmpty()
        ? Optional.empty()
        : areas.stream().filter(area -> area.name().startsWith(directory + "/")).findFirst();
  }

  /** Areas whose content is shared memory; see {@link SharedMemory}. */
  List<Area> sharedMemory() {
    return areas.stream().filter(Area::sharedMemory).toList();
  }

  /** Another area whose content other processes may change, if there is one. */
  Optional<Area> otherwiseShared() {
    return areas.stream()
        .filter(area -> area.shared() && area.writable() && !area.sharedMemory())
        .findFirst();
  }
}
