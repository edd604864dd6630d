package io.twinkernel.broker.agent;

import io.twinkernel.broker.process.CgroupFreezer;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The program that node.conf names as {@code service.practice}: it has another instance of the
 * service do in B, before the service comes, what clients ask of it. What the service executes
 * first after the gap is in this kernel's memory and its processors' caches then, and, where the
 * machine is emulated, translated. Whatever the program leaves behind is ended.
 */
final class ServicePractice {
  private static final Duration GONE = Duration.ofSeconds(5);

  /** Moves itself into a cgroup and becomes the program. */
  private static final String WITHIN = "echo 0 >\"$0/cgroup.procs\" && exec \"$1\"";

  private ServicePractice() {}

  /**
   * Runs it. If it fails or takes too long the gap is longer, and nothing else.
   *
   * @param cgroup a directory to make for it
   * @param program empty for none
   * @param most for how long: the upgrade waits for it
   */
  static void run(Path cgroup, String program, Duration most) throws InterruptedException {
    if (program.isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    try {
      String end = run(Files.createDirectories(cgroup), program, most.toMillis());
      KernelLog.say(
          "%s %s after %d ms"
              .formatted(program, end, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)));
    } catch (IOException e) {
      KernelLog.say("the service is not practised: " + e.getMessage());
    }
  }

  private static String run(Path cgroup, String program, long millis)
      throws IOException, InterruptedException {
    var group = new CgroupFreezer(cgroup);
    try {
      var nowhere = new File("/dev/null");
      Process process =
          new ProcessBuilder("/bin/sh", "-c", WITHIN, cgroup.toString(), program)
              .redirectInput(nowhere)
              .redirectErrorStream(true)
              .redirectOutput(nowhere)
              .start();
      return process.waitFor(millis, TimeUnit.MILLISECONDS)
          ? "ended with " + process.exitValue()
          : "is ended";
    } finally {
      group.kill();
      if (group.awaitEmpty(GONE)) {
        Files.delete(cgroup);
      }
    }
  }
}
