package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.MemoryMap.Area;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What system calls can make of the memory of a process whose files are not opened anew: memory
 * without a file comes, goes and takes the place of other memory, files' memory goes and is
 * protected otherwise. All else stays as it is.
 */
final class Reshapeable {
  private static final String DELETED = " (deleted)";

  private Reshapeable() {}

  /**
   * Why a process cannot be given another layout.
   *
   * @param base what it is laid out as
   */
  static Optional<String> difference(MemoryMap base, MemoryMap wanted) {
    Optional<String> fixed = fixed(fixed(base.areas()), fixed(wanted.areas()));
    return fixed.isPresent() ? fixed : files(base.areas(), wanted.areas());
  }

  /** Memory without a file, which is mapped by a call as it is. */
  private static boolean isFree(Area area) {
    return !area.shared()
        && !area.ofFile()
        && (area.name().isEmpty() || area.name().equals("[heap]"));
  }

  private static boolean isFile(Area area) {
    return !area.shared() && area.ofFile() && !area.name().endsWith(DELETED);
  }

  /**
   * What no call makes: shared and the kernel's memory, a stack that grew by itself, memory that
   * was given a name, and files that no longer have one.
   */
  private static List<Area> fixed(List<Area> areas) {
    var fixed = new ArrayList<Area>();
    for (Area area : areas) {
      if (!isFree(area) && !isFile(area)) {
        MemoryMap.join(fixed, area);
      }
    }
    return fixed;
  }

  private static Optional<String> fixed(List<Area> base, List<Area> wanted) {
    int both = Math.min(base.size(), wanted.size());
    for (int i = 0; i < both; i++) {
      if (!isSame(base.get(i), wanted.get(i))) {
        return Optional.of("its memory " + base.get(i) + " is now " + wanted.get(i));
      }
    }
    if (wanted.size() > both) {
      return Optional.of("its memory " + wanted.get(both) + " is new");
    }
    if (base.size() > both) {
      return Optional.of("its memory " + base.get(both) + " is gone");
    }
    return Optional.empty();
  }

  private static boolean isSame(Area one, Area other) {
    return one.start() == other.start()
        && one.end() == other.end()
        && one.permissions().equals(other.permissions())
        && one.hasBackingOf(other);
  }

  /** Each page of a file that is wanted was there. */
  private static Optional<String> files(List<Area> base, List<Area> wanted) {
    int at = 0;
    for (Area area : wanted) {
      if (!isFile(area)) {
        continue;
      }
      long covered = area.start();
      while (covered < area.end()) {
        while (at < base.size() && base.get(at).end() <= covered) {
          at++;
        }
        if (at == base.size() || !isPart(base.get(at), area, covered)) {
          return Optional.of("its memory " + area + " is new");
        }
        covered = base.get(at).end();
      }
    }
    return Optional.empty();
  }

  private static boolean isPart(Area base, Area area, long from) {
    return base.start() <= from && isFile(base) && base.hasBackingOf(area);
  }
}
