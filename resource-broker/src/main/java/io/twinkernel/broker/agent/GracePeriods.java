package io.twinkernel.broker.agent;

import io.twinkernel.ffi.SysFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Makes the kernel hurry through RCU's grace periods (kernel/ksysfs.c, kernel/rcu/tree.c): a driver
 * waits for several of them when it lets go of a NIC or takes one. {@code rcu_expedited} shortens
 * most, but not those of {@code rcu_barrier()}, which end sooner if the kernel looks for the end at
 * once instead of after some ticks.
 */
final class GracePeriods {
  private static final Path EXPEDITED = Path.of("/sys/kernel/rcu_expedited");
  private static final Path PARAMETERS = Path.of("/sys/module/rcutree/parameters");
  private static final String[] WAITS = {"jiffies_till_first_fqs", "jiffies_till_next_fqs"};

  /** The kernel's own choice for up to 256 CPUs at 250 Hz (rcu_init_geometry()). */
  private static final String USUAL_WAIT = "1";

  private GracePeriods() {}

  static void expedite() throws IOException {
    set("1", "0");
  }

  static void usual() throws IOException {
    set("0", USUAL_WAIT);
  }

  private static void set(String expedited, String wait) throws IOException {
    if (Files.exists(EXPEDITED)) {
      SysFiles.write(EXPEDITED.toString(), expedited);
    }
    for (String name : WAITS) {
      Path parameter = PARAMETERS.resolve(name);
      if (Files.exists(parameter)) {
        SysFiles.write(parameter.toString(), wait);
      }
    }
  }
}
