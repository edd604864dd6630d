package io.twinkernel.broker.agent;

import io.twinkernel.ffi.HotSpotFlag;
import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/**
 * The JVM's compiler and its threads. What was done often shortly before the gap, or is in it, they
 * would compile in it, on CPUs that the gap needs, and for code that is hardly run again.
 */
final class JustInTimeCompiler {
  private static final Path THREADS = Path.of("/proc/self/task");

  /** As HotSpot names them, as far as the kernel keeps names. */
  private static final Pattern NAME = Pattern.compile("C[12] CompilerThre.*");

  /** There is no event. */
  private static final long LOOK_EVERY_NANOS = 2_000_000;

  private static final Duration PATIENCE = Duration.ofMillis(500);

  /** So many looks in a row that find them asleep say that nothing is left to compile. */
  private static final int ASLEEP = 2;

  /** With it off the JVM interprets what is not compiled, as it does when there is no more room. */
  private static final Optional<HotSpotFlag> USED = HotSpotFlag.find("UseCompiler");

  private JustInTimeCompiler() {}

  /**
   * Compiles nothing from now on, until {@link #usual}; what waits to be compiled will be asked for
   * again. Returns when what was being compiled is finished: some methods take as long as the gap.
   */
  static void pause() {
    USED.ifPresent(used -> used.set(false));
    settle();
  }

  /** Compiles what is worth it again. */
  static void usual() {
    USED.ifPresent(used -> used.set(true));
  }

  /** Waits until nothing is left to compile; not for ever. */
  static void settle() {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    try {
      List<String> threads = threads();
      for (int asleep = 0; asleep < ASLEEP && System.nanoTime() - deadline < 0; ) {
        asleep = allSleep(threads) ? asleep + 1 : 0;
        LockSupport.parkNanos(LOOK_EVERY_NANOS);
      }
    } catch (IOException e) {
      KernelLog.say("the gap may be longer: " + e.getMessage());
    }
  }

  static List<String> threads() throws IOException {
    var compiling = new ArrayList<String>();
    try (var tasks = Files.newDirectoryStream(THREADS)) {
      for (Path task : tasks) {
        if (NAME.matcher(SysFiles.readIfThere(task + "/comm").orElse("").strip()).matches()) {
          compiling.add(task + "/stat");
        }
      }
    }
    return compiling;
  }

  static boolean allSleep(List<String> stats) throws IOException {
    for (String stat : stats) {
      if (!SysFiles.readIfThere(stat).orElse(") S").contains(") S")) {
        return false;
      }
    }
    return true;
  }
}
