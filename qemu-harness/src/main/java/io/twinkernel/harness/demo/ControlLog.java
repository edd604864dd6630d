package io.twinkernel.harness.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.FileHandler;
import java.util.logging.Handler;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Sends what the control plane logs in this process to a file: the terminal is the narrator's. */
final class ControlLog {

  private ControlLog() {}

  static void to(Path file) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    Logger root = Logger.getLogger("");
    for (Handler handler : root.getHandlers()) {
      root.removeHandler(handler);
    }
    FileHandler handler = new FileHandler(file.toString());
    handler.setFormatter(new SimpleFormatter());
    root.addHandler(handler);
  }
}
