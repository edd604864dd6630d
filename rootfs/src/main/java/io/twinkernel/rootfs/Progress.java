package io.twinkernel.rootfs;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/** Told about every step that takes long: once when it starts, once when it is done. */
public interface Progress {
  /** A step starts; the text has no line end, for example {@code "Linux 6.12.117: download"}. */
  void started(String step);

  /** The step of that text is done. */
  void finished(String step, Duration took);

  /** Work that may fail like everything in this package. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException, RootfsException, InterruptedException;
  }

  /** Runs the work as a step. A step that fails is not reported as finished. */
  default <T> T step(String name, Work<T> work)
      throws IOException, RootfsException, InterruptedException {
    started(name);
    long start = System.nanoTime();
    T result = work.run();
    finished(name, Duration.ofNanos(System.nanoTime() - start));
    return result;
  }

  /** Says nothing. */
  static Progress silent() {
    return new Progress() {
      @Override
      public void started(String step) {}

      @Override
      public void finished(String step, Duration took) {}
    };
  }

  /**
   * One line for each step, printed in two halves so that one sees what is under way: {@code "
   * Linux 6.12.117: download ...... 3.1 s"}.
   */
  static Progress lines(PrintStream out) {
    return new Progress() {
      @Override
      public void started(String step) {
        out.print("  " + step + " " + ".".repeat(Math.max(3, 58 - step.length())) + " ");
        out.flush();
      }

      @Override
      public void finished(String step, Duration took) {
        out.printf(Locale.ROOT, "%.1f s%n", took.toMillis() / 1000.0);
      }
    };
  }
}
