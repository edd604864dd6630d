package io.twinkernel.broker.agent;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * The program that node.conf names as {@code service.practice}: it has another instance of the
 * service do in B, before the service comes, what clients ask of it, and ends it. What the service
 * executes first after the gap is in this kernel's memory and its processor's caches then, and,
 * where the machine is emulated, translated.
 */
final class ServicePractice {
  /** What takes longer than this is ended: the upgrade waits for it. */
  private static final Duration MOST = Duration.ofSeconds(30);

  private ServicePractice() {}

  /**
   * Runs it. If it fails the gap is longer, and nothing else.
   *
   * @param program empty for none
   */
  static void run(String program) throws InterruptedException {
    if (program.isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    try {
      var nowhere = new File("/dev/null");
      Process process =
          new ProcessBuilder(program)
              .redirectInput(nowhere)
              .redirectErrorStream(true)
              .redirectOutput(nowhere)
              .start();
      try {
        boolean ended = process.waitFor(MOST.toMillis(), TimeUnit.MILLISECONDS);
        KernelLog.say(
            "%s %s after %d ms"
                .formatted(
                    program,
                    ended ? "ended with " + process.exitValue() : "is ended",
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)));
      } finally {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } catch (IOException e) {
      KernelLog.say("the service is not practised: " + e.getMessage());
    }
  }
}
