package io.twinkernel.harness.net;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Cleans up after runs that could not do it themselves: those whose owner is gone. A process that
 * is still in such a run's namespace is a remnant of it and is killed; the namespace and the
 * directory go.
 */
public final class Reaper {

  private static final int KILL_SECONDS = 5;

  private Reaper() {}

  /** Returns the names of the runs that were cleaned up. */
  public static List<String> reap(Path root) throws HarnessException {
    List<String> reaped = new ArrayList<>();
    if (!Files.isDirectory(root)) {
      return reaped;
    }
    try (Stream<Path> runs = Files.list(root)) {
      for (Path path : runs.filter(Files::isDirectory).sorted().toList()) {
        RunDirectory run = new RunDirectory(path);
        if (!run.namespace().name().startsWith(Namespace.PREFIX) || inUse(run)) {
          continue;
        }
        killInside(run.namespace());
        run.namespace().delete();
        run.delete();
        reaped.add(run.namespace().name());
      }
    } catch (IOException failure) {
      throw new HarnessException.Machine(
          "what earlier runs left under " + root + " cannot be cleaned up: " + failure, failure);
    }
    return reaped;
  }

  private static boolean inUse(RunDirectory run) {
    try {
      return run.owner().alive();
    } catch (IOException noOwner) {
      // Made a moment ago by a run that has not come to writing the file, or damaged for good.
      return System.currentTimeMillis() - run.path().toFile().lastModified() < 10_000;
    }
  }

  private static void killInside(Namespace namespace) throws HarnessException {
    if (!namespace.exists()) {
      return;
    }
    for (String pid : Ip.run("netns", "pids", namespace.name()).lines().toList()) {
      ProcessHandle.of(Long.parseLong(pid.strip()))
          .ifPresent(
              process -> {
                process.destroyForcibly();
                var _ =
                    process
                        .onExit()
                        .completeOnTimeout(process, KILL_SECONDS, TimeUnit.SECONDS)
                        .join();
              });
    }
  }
}
