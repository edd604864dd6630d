package io.twinkernel.broker.agent;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;

/**
 * What the kernel prints on consoles. Whoever causes a message waits until a serial console has
 * taken it, 7 ms a line at 115200 baud: too long in the gap. In the log all messages are.
 */
final class ConsoleMessages {
  /** Documentation/admin-guide/sysctl/kernel.rst: current, default, least and boot-time level. */
  private static final String LEVELS = "/proc/sys/kernel/printk";

  private static final String EMERGENCIES = "1";

  private ConsoleMessages() {}

  /** Keeps all but emergencies off the consoles. */
  static void hold() throws IOException {
    SysFiles.write(LEVELS, EMERGENCIES);
  }

  /** Prints what this kernel was started to print. */
  static void usual() throws IOException {
    String[] levels = SysFiles.read(LEVELS).strip().split("\\s+", -1);
    SysFiles.write(LEVELS, levels[levels.length - 1]);
  }
}
