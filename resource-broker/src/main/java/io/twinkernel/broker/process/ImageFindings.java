package io.twinkernel.broker.process;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/** What CRIU's images say of processes that it does not restore, or not as they were. */
public final class ImageFindings {
  /** Of mm_entry in images/mm.proto. */
  private static final int THP_DISABLED = 17;

  /** Of core_entry in images/core.proto. */
  private static final int TASK = 3;

  /** Of task_core_entry. */
  private static final int TIMERS = 7;

  /** Of task_timers_entry in images/timer.proto; ITIMER_VIRTUAL's is between them. */
  private static final int REAL = 1;

  private static final int PROF = 3;

  /** Of itimer_entry: what is left. */
  private static final int SECONDS = 3;

  private static final int MICROSECONDS = 4;

  /** Of task_kobj_ids_entry in images/core.proto. */
  private static final int FILES = 2;

  /** Of fdinfo_entry in images/fdinfo.proto. */
  private static final int FILE = 1;

  private static final int TYPE = 3;
  private static final int NUMBER = 4;

  /** Of fd_types there. */
  private static final int TIMERFD = 17;

  private ImageFindings() {}

  /**
   * A file descriptor.
   *
   * @param process that has it, by its number in the images
   * @param number that it has there
   */
  public record Descriptor(int process, int number) {}

  /**
   * The timerfds in a folder of images, each by one of its descriptors. CRIU restores what is left
   * until they expire, as it was when it dumped them, and does not set one that had expired and was
   * to again.
   */
  public static List<Descriptor> timerFds(Path images) throws IOException {
    var found = new ArrayList<Descriptor>();
    var known = new HashSet<Long>();
    try (var files = Files.newDirectoryStream(images, "ids-*.img")) {
      for (Path file : files) {
        long table = CriuImage.read(file).only().number(FILES);
        for (ProtobufMessage entry :
            CriuImage.read(images.resolve("fdinfo-" + table + ".img")).entries()) {
          if (entry.number(TYPE) == TIMERFD && known.add(entry.number(FILE))) {
            found.add(new Descriptor(process("ids-", file), (int) entry.number(NUMBER)));
          }
        }
      }
    }
    return List.copyOf(found);
  }

  /** Whose image it is, by its name. */
  private static int process(String kind, Path image) {
    String name = image.getFileName().toString();
    return Integer.parseInt(name.substring(kind.length(), name.lastIndexOf('.')));
  }

  /**
   * The processes in a folder of images that do without transparent huge pages: what CRIU does not
   * restore.
   */
  public static List<Integer> withoutHugePages(Path images) throws IOException {
    var found = new ArrayList<Integer>();
    try (var files = Files.newDirectoryStream(images, "mm-*.img")) {
      for (Path file : files) {
        if (CriuImage.read(file).only().number(THP_DISABLED) != 0) {
          found.add(process("mm-", file));
        }
      }
    }
    return List.copyOf(found);
  }

  /**
   * A process in a folder of images that has an interval timer, if there is one: in a copy that
   * waits it goes on, and would strike a second time where it has struck here.
   */
  public static Optional<Integer> withIntervalTimer(Path images) throws IOException {
    try (var files = Files.newDirectoryStream(images, "core-*.img")) {
      for (Path file : files) {
        if (hasIntervalTimer(CriuImage.read(file).only())) {
          return Optional.of(process("core-", file));
        }
      }
    }
    return Optional.empty();
  }

  private static boolean hasIntervalTimer(ProtobufMessage core) throws ProtocolException {
    Optional<ProtobufMessage> task = core.message(TASK);
    Optional<ProtobufMessage> timers =
        task.isEmpty() ? Optional.empty() : task.get().message(TIMERS);
    if (timers.isEmpty()) {
      return false;
    }
    for (int kind = REAL; kind <= PROF; kind++) {
      Optional<ProtobufMessage> timer = timers.get().message(kind);
      if (timer.isPresent()
          && (timer.get().number(SECONDS) != 0 || timer.get().number(MICROSECONDS) != 0)) {
        return true;
      }
    }
    return false;
  }
}
