package io.twinkernel.broker.agent;

import io.twinkernel.broker.image.KernelCommandLine;
import io.twinkernel.ffi.TwinInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Kernel B's command line: what cannot be said in the tables (kernel-parameters.txt). */
final class TwinCommandLine {
  /** ELFCORE_ADDR_MAX: what kexec says of a crashed kernel is not so, B is no crash-dump kernel. */
  private static final String NO_CRASH_DUMP = "18446744073709551615";

  private static final String SECONDARY = "twin.role=secondary";

  private TwinCommandLine() {}

  /**
   * What B is told.
   *
   * @param rsdp physical address of B's ACPI tables
   * @param apicIds of the CPUs that B gets when it starts
   */
  static String of(
      TwinInfo info, long rsdp, NodeConf conf, Stage.Planned planned, List<Integer> apicIds)
      throws IOException {
    UpgradePlan plan = planned.plan();
    TwinInfo.Range shared = info.shared().orElseThrow();
    var line = new KernelCommandLine(planned.image().commandLineLimit());
    line.add("elfcorehdr", NO_CRASH_DUMP);
    line.add("console", "hvc0");
    // What B says before its own console is there, where the operator spares a port for that.
    if (!conf.earlyConsole().isEmpty()) {
      line.add("earlycon", conf.earlyConsole()).add("keep_bootcon");
    }
    // The serial ports are A's: B must not probe them.
    line.add("initcall_blacklist", "serial8250_init");
    // While it boots B starts no CPU: left to itself it takes those that come first in its tables,
    // and before 6.9 that is the machine's boot CPU. Its broker starts those that A gave.
    line.add("maxcpus", 1);
    line.addHex("acpi_rsdp", rsdp);
    // Nothing to calibrate with, and no other clock: the timers are A's. Left to itself a kernel
    // before 6.9 counts ticks where the processor promises nothing for the TSC, and loses some.
    line.add("tsc_early_khz", info.tscKhz()).add("tsc", "reliable");
    // Only the buses in the tables.
    line.add("pci", "lastbus=0");
    // A's real-mode code must survive, or A cannot take its CPU back.
    line.reserve(info.trampoline().start(), info.trampoline().size());
    // What was reserved here for the kernel before, which has parked.
    String own = Files.readString(Path.of("/proc/cmdline"));
    if (own.contains(SECONDARY)) {
      KernelCommandLine.reserved(own).forEach(line::release);
    }
    // A reset would be the whole machine's.
    line.add("panic", 0);
    line.add("twin.role", SECONDARY.substring(SECONDARY.indexOf('=') + 1));
    line.addHex("twin.shared_start", shared.start()).addHex("twin.shared_size", shared.size());
    line.add(
        "twin.cpus",
        apicIds.stream().map(Integer::toUnsignedString).collect(Collectors.joining(",")));
    if (plan.faults().contains(UpgradePlan.Fault.TWIN_HANGS)) {
      line.add("twin.fault", UpgradePlan.Fault.TWIN_HANGS.word());
    }
    return line.build();
  }
}
