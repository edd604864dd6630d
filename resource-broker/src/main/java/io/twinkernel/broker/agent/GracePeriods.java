package io.twinkernel.broker.agent;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Makes the kernel hurry through RCU's grace periods ({@code rcu_expedited} in kernel/ksysfs.c): a
 * driver waits for several of them when it lets go of a NIC or takes one, each as long as a tick or
 * more.
 */
final class GracePeriods {
  private static final Path EXPEDITED = Path.of("/sys/kernel/rcu_expedited");

  private GracePeriods() {}

  static void expedite() throws IOException {
    set("1");
  }

  static void usual() throws IOException {
    set("0");
  }

  private static void set(String value) throws IOException {
    if (Files.exists(EXPEDITED)) {
      SysFiles.write(EXPEDITED.toString(), value);
    }
  }
}
