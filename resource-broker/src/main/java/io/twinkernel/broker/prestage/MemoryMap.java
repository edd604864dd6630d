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
  /** A space, four letters and a space. */
  private static final int PERMISSIONS = 6;

  /**
   * A range of addresses.
   *
   * @param start its first address
   * @param end the address after its last
   * @param permissions as in {@code rw-p}
   * @param offset where in its file it begins
   * @param device that the file is on
   * @param inode of the file; 0 if it is none's
   * @param name the file's path, a name in brackets, or empty
   */
  record Area(
      long start, long end, String permissions, long offset, long device, long inode, String name) {
    boolean shared() {
      return permissions.charAt(3) == 's';
    }

    /** Whether it has content of a file where it has none of its own. */
    boolean ofFile() {
      return inode != 0;
    }

    /** Whether two are the same file's, at the same addresses, or both none's. */
    boolean hasBackingOf(Area other) {
      return inode == other.inode
          && device == other.device
          && (inode == 0 || offset - start == other.offset - other.start)
          && name.equals(other.name);
    }

    /** Whether it may not be touched. */
    boolean closed() {
      return permissions.startsWith("---");
    }

    /** A part of it. */
    Area part(long first, long last) {
      long within = ofFile() ? offset + (first - start) : offset;
      return new Area(first, last, permissions, within, device, inode, name);
    }

    private Area through(long last) {
      return new Area(start, last, permissions, offset, device, inode, name);
    }

    private boolean isFollowedBy(Area next) {
      return end == next.start && permissions.equals(next.permissions) && hasBackingOf(next);
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
      return !shared() && !kernels() && !closed();
    }

    @Override
    public String toString() {
      String range = Long.toHexString(start) + "-" + Long.toHexString(end) + " " + permissions;
      return name.isEmpty() ? range : range + " " + name;
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
   * Why a process laid out as another map says cannot be laid out as this one says by calls that
   * map, unmap and protect memory without a file. The kernel makes one area of two, or two of one,
   * as it likes: addresses count.
   *
   * @param base what it is laid out as
   * @return empty if it can
   */
  Optional<String> differsBeyondReshaping(MemoryMap base) {
    return Reshapeable.difference(base, this);
  }

  /** Adds one to a list, as a part of the last one there if that is to be and can be. */
  static void join(List<Area> areas, Area next) {
    if (!areas.isEmpty() && areas.getLast().isFollowedBy(next)) {
      areas.add(areas.removeLast().through(next.end()));
    } else {
      areas.add(next);
    }
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
    int offset = space + PERMISSIONS;
    int device = text.indexOf(' ', offset) + 1;
    int colon = text.indexOf(':', device);
    int inode = text.indexOf(' ', colon) + 1;
    if (dash < 0 || space < dash || device <= offset || colon < device || inode < colon) {
      throw new IOException("not an area of memory: " + text.substring(from, to));
    }
    int name = text.indexOf(' ', inode);
    if (name < 0 || name > to) {
      name = to;
    }
    try {
      return new Area(
          Long.parseUnsignedLong(text, from, dash, 16),
          Long.parseUnsignedLong(text, dash + 1, space, 16),
          text.substring(space + 1, offset - 1),
          Long.parseUnsignedLong(text, offset, device - 1, 16),
          Long.parseLong(text, device, colon, 16) << Integer.SIZE
              | Long.parseLong(text, colon + 1, inode - 1, 16),
          Long.parseUnsignedLong(text, inode, name, 10),
          text.substring(name, to).strip());
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw new IOException("not an area of memory: " + text.substring(from, to), e);
    }
  }

  /** An area that is a file's below a directory, if there is one. */
  Optional<Area> below(String directory) {
    return directory.isEmpty()
        ? Optional.empty()
        : areas.stream().filter(area -> area.name().startsWith(directory + "/")).findFirst();
  }

  /** The size of the first thread's stack; 0 if it has none. */
  long stackBytes() {
    long bytes = 0;
    for (Area area : areas) {
      if (area.name().equals("[stack]")) {
        bytes += area.end() - area.start();
      }
    }
    return bytes;
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
