package io.twinkernel.broker.prestage;

import io.twinkernel.broker.prestage.DiskFile.Opening;
import io.twinkernel.broker.prestage.OpenFile.Kind;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;

/** What a process has open on the disk that goes over at the switch. */
final class DiskFiles {
  private final int pid;

  /** Where the disk is mounted; empty for none. */
  private final String disk;

  private final SortedMap<Integer, OpenFile> files;

  /** What the copy knows of. */
  private List<DiskFile> told = List.of();

  /**
   * @param files what it has open, as far as its copy knows, wherever they are: changes with it
   */
  DiskFiles(int pid, String disk, SortedMap<Integer, OpenFile> files) {
    this.pid = pid;
    this.disk = disk;
    this.files = files;
  }

  /** Whether a descriptor is one of them. */
  boolean has(OpenFile file) {
    return file.kind() == Kind.FILE && isOnDisk(file.target());
  }

  /** Whether a path leads to the disk. */
  boolean isOnDisk(String path) {
    return !disk.isEmpty() && path.startsWith(disk + "/");
  }

  /**
   * All of them, as they are now; the copy knows of them from here on.
   *
   * @param earlier those of processes that may have some by the same opening
   */
  List<DiskFile> tell(List<DiskFiles> earlier) throws IOException {
    var sized = new ArrayList<DiskFile>();
    for (DiskFile file : list(earlier)) {
      sized.add(file.asLargeAs(Objects.requireNonNull(files.get(file.descriptor()))));
    }
    told = List.copyOf(sized);
    return told;
  }

  private List<DiskFile> list(List<DiskFiles> earlier) throws IOException {
    var found = new ArrayList<DiskFile>();
    for (Map.Entry<Integer, OpenFile> entry : files.entrySet()) {
      if (has(entry.getValue())) {
        DiskFile file = DiskFile.of(entry.getKey(), entry.getValue());
        Optional<Opening> opening = opening(entry.getValue(), found, earlier);
        found.add(opening.isPresent() ? file.by(opening.get()) : file);
      }
    }
    return List.copyOf(found);
  }

  /** As {@link #tell}, without sizes and modes: empty if the copy knows. */
  Optional<List<DiskFile>> news(List<DiskFiles> earlier) throws IOException {
    List<DiskFile> before = told;
    List<DiskFile> now = list(earlier);
    told = now;
    boolean same = now.size() == before.size();
    for (int i = 0; same && i < now.size(); i++) {
      same = now.get(i).isLike(before.get(i));
    }
    return same ? Optional.empty() : Optional.of(now);
  }

  /** The first descriptor that has the same one: of other processes, then of this one. */
  private Optional<Opening> opening(OpenFile file, List<DiskFile> before, List<DiskFiles> earlier)
      throws IOException {
    for (DiskFiles other : earlier) {
      for (Map.Entry<Integer, OpenFile> theirs : other.files.entrySet()) {
        if (areOne(file, theirs.getValue())) {
          return Optional.of(new Opening(other.pid, theirs.getKey()));
        }
      }
    }
    for (DiskFile mine : before) {
      OpenFile one = files.get(mine.descriptor());
      if (one != null && areOne(file, one)) {
        return Optional.of(new Opening(pid, mine.descriptor()));
      }
    }
    return Optional.empty();
  }

  private static boolean areOne(OpenFile file, OpenFile other) throws SyscallException {
    return other.kind() == Kind.FILE
        && other.target().equals(file.target())
        && Processes.areOne(file.held(), other.held());
  }
}
