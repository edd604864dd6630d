package io.twinkernel.broker.process;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

  private ImageFindings() {}

  /**
   * The processes in a folder of images that do without transparent huge pages: what CRIU does not
   * restore.
   */
  public static List<Integer> withoutHugePages(Path images) throws IOException {
    var found = new ArrayList<Integer>();
    try (var files = Files.newDirectoryStream(images, "mm-*.img")) {
      for (Path file : files) {
        if (CriuImage.read(file).only().number(THP_DISABLED) != 0) {
          String name = file.getFileName().toString();
          found.add(Integer.valueOf(name.substring("mm-".length(), name.lastIndexOf('.'))));
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
          String name = file.getFileName().toString();
          return Optional.of(
              Integer.valueOf(name.substring("core-".length(), name.lastIndexOf('.'))));
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
