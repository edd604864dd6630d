package io.twinkernel.broker.agent;

import io.twinkernel.broker.image.ImageException;
import io.twinkernel.broker.image.KernelCommandLine;
import io.twinkernel.ffi.TwinInfo;

/** Kernel B's command line: what cannot be said in the tables (kernel-parameters.txt). */
final class TwinCommandLine {
  /** B's pages below 1 MiB end here; what is above stays A's, its real-mode code among it. */
  private static final long LOW_MEMORY_OF_B = 0x40000;

  private static final long LOW_MEMORY_END = 0x9f000;

  private TwinCommandLine() {}

  /**
   * What B is told.
   *
   * @param rsdp physical address of B's ACPI tables
   */
  static String of(TwinInfo info, long rsdp, Stage.Planned planned) throws ImageException {
    UpgradePlan plan = planned.plan();
    TwinInfo.Range shared = info.shared().orElseThrow();
    var line = new KernelCommandLine(planned.image().commandLineLimit());
    // B's own console, and the second serial port for what it says before that one is there.
    line.add("console", "hvc0").add("earlycon", "uart8250,io,0x2f8,115200n8").add("keep_bootcon");
    // The serial ports are A's: B must not probe them.
    line.add("initcall_blacklist", "serial8250_init");
    // B may not start CPUs that A still runs.
    line.add("maxcpus", plan.cpus().size());
    line.addHex("acpi_rsdp", rsdp);
    // Nothing to calibrate with: the timers are A's.
    line.add("tsc_early_khz", info.tscKhz()).add("tsc", "nowatchdog");
    // Only the buses in the tables.
    line.add("pci", "lastbus=0");
    // A's real-mode code must survive, or A cannot take its CPU back.
    line.reserve(LOW_MEMORY_OF_B, LOW_MEMORY_END - LOW_MEMORY_OF_B);
    line.add("nokaslr").add("panic", 0);
    line.add("twin.role", "secondary");
    line.addHex("twin.shared_start", shared.start()).addHex("twin.shared_size", shared.size());
    if (plan.faults().contains(UpgradePlan.Fault.TWIN_HANGS)) {
      line.add("twin.fault", UpgradePlan.Fault.TWIN_HANGS.word());
    }
    return line.build();
  }
}
