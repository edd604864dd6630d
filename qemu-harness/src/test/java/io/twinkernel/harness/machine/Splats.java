package io.twinkernel.harness.machine;

import java.util.List;
import java.util.regex.Pattern;

/**
 * What a kernel says of itself when something is wrong with it, with its debugging switched on or
 * not.
 */
final class Splats {

  private static final String SPLAT =
      "BUG:|WARNING:|Oops|KASAN|UBSAN|ODEBUG|general protection|Kernel panic|Call Trace"
          + "|INFO: possible|suspicious RCU|locks? held|circular locking|invalid context"
          + "|soft lockup|hung_task|blocked for more than|detected stalls|self-detected stall|stall on"
          + "|list_(add|del) corruption|refcount_t|scheduling while atomic|bad page|Bad page"
          + "|No irq handler|unknown reason";

  private Splats() {}

  /** Prints the lines of the kernel's log that say so, and the few after each. */
  static final String COMMAND = "dmesg | grep -E -A 12 '" + SPLAT + "'";

  private static final Pattern PATTERN = Pattern.compile(SPLAT);

  /** The lines of a log that say so. */
  static List<String> in(String log) {
    return log.lines().filter(line -> PATTERN.matcher(line).find()).toList();
  }
}
