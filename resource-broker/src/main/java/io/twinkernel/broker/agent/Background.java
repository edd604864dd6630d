package io.twinkernel.broker.agent;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A step that runs beside the caller; joining it gives its failure to the caller. */
final class Background {
  /** What runs. */
  @FunctionalInterface
  interface Task {
    void run() throws IOException;
  }

  private final Thread thread;
  private volatile @Nullable IOException failure;

  Background(String name, Task task) {
    thread =
        Thread.ofPlatform()
            .name(name)
            .daemon()
            .start(
                () -> {
                  try {
                    task.run();
                  } catch (IOException e) {
                    failure = e;
                  } catch (RuntimeException e) {
                    failure = new IOException(name + " failed", e);
                  }
                });
  }

  void join() throws IOException, InterruptedException {
    thread.join();
    IOException cause = failure;
    if (cause != null) {
      throw cause;
    }
  }
}
