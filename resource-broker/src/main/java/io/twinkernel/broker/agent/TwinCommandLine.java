package io.twinkernel.broker.agent;

import io.twinkernel.ffi.TwinInfo;

/** Kernel B's command line: what cannot be said in the tables (kernel-parameters.txt). */
final class TwinCommandLine {
  private static final long LOW_MEMORY_OF_B = 0x40000;
  private static final long LOW_MEMORY_END = 0x9f000;

  private TwinCommandLine() {}

  /**
   * @param rsdp physical address of B's ACPI tables
   */
  static String of(TwinInfo info, long rsdp, UpgradePlan plan) {
    var line = new StringBuilder(512);
    // B's own console, and the second serial port for what it says before that one is there.
    line.append("console=hvc0 earlycon=uart8250,io,0x2f8,115200n8 keep_bootcon");
    // The serial ports are A's: B must not probe them.
    line.append(" initcall_blacklist=serial8250_init");
    line.append(" maxcpus=").append(plan.cpus().size());
    line.append(" acpi_rsdp=0x").append(Long.toHexString(rsdp));
    // Nothing to calibrate with: the timers are A's.
    line.append(" tsc_early_khz=").append(info.tscKhz()).append(" tsc=nowatchdog");
    // Only the buses in the tables.
    line.append(" pci=lastbus=0");
    // A's real-mode code must survive, or A cannot take its CPU back; B keeps some pages for its
    // own.
    line.append(" memmap=0x")
        .append(Long.toHexString(LOW_MEMORY_END - LOW_MEMORY_OF_B))
        .append("$0x")
        .append(Long.toHexString(LOW_MEMORY_OF_B));
    line.append(" nokaslr panic=0");
    line.append(" twin.role=secondary");
    TwinInfo.Range shared = info.shared().orElseThrow();
    line.append(" twin.shared_start=0x").append(Long.toHexString(shared.start()));
    line.append(" twin.shared_size=0x").append(Long.toHexString(shared.size()));
    if (plan.faults().contains(UpgradePlan.Fault.TWIN_HANGS)) {
      line.append(" twin.fault=").append(UpgradePlan.Fault.TWIN_HANGS.word());
    }
    return line.toString();
  }
}
