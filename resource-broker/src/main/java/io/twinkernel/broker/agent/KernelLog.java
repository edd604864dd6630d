package io.twinkernel.broker.agent;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Says things on this kernel's console: what survives when the kernel is taken away. */
final class KernelLog {
  private static final Path KMSG = Path.of("/dev/kmsg");

  private KernelLog() {}

  /** Each line becomes a record of its own (Documentation/ABI/testing/dev-kmsg). */
  static void say(String text) {
    for (String line : text.lines().toList()) {
      try {
        Files.write(
            KMSG,
            ("twin-broker: " + line + "\n").getBytes(StandardCharsets.UTF_8),
            StandardOpenOption.WRITE);
      } catch (IOException e) {
        System.err.println("twin-broker: " + line + " (kernel log: " + e.getMessage() + ")");
      }
    }
  }
}
