package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.cpu.CpuHotplug;
import io.twinkernel.broker.memory.SystemRam;
import io.twinkernel.broker.pci.HostBridges;
import io.twinkernel.broker.plan.IoMem;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What A does once B owns the processes: ends its own copies of them, and when B asks, lets go of
 * every CPU but the one it booted on, tells what else it had, and parks there for good.
 */
final class Departure {
  private static final int BOOT_CPU = 0;

  private final TwinDevice device;

  Departure(TwinDevice device) {
    this.device = device;
  }

  /** Does not return: in the end this kernel runs nothing any more. */
  void run(Service service, Peer peer) throws IOException, InterruptedException {
    Inbox.Message message = peer.inbox().take();
    while (message.type() != FrameType.RELEASE_MACHINE) {
      message = peer.inbox().take();
    }
    // Not before: to free their memory keeps a processor busy, and the gap is just over. Nor at all
    // where they have files on a disk that is B's: closing these can touch it, and would wait for
    // ever. They are stopped, and parking ends them.
    if (!ServiceDisk.recorded()) {
      service.kill();
    }
    Map<String, Object> machine = machine(device);
    for (int cpu : ApicIds.read().keySet()) {
      if (cpu != BOOT_CPU) {
        CpuHotplug.offline(cpu);
      }
    }
    peer.send(FrameType.MACHINE_RELEASED, machine);
    device.park();
  }

  /** What this kernel has and B can take once it has parked; {@link Absorption#take} reads it. */
  static Map<String, Object> machine(TwinDevice device) throws IOException {
    TwinInfo info = device.info();
    return Map.of(
        "parked_apic_id",
        info.bootApicId(),
        "memory",
        memory(IoMem.read()),
        "crash_bytes",
        size(info.crash()) + size(info.shared()),
        "twin",
        info.crash().map(crash -> List.of(crash.start(), crash.size())).orElse(List.of()),
        "host_bridges",
        HostBridges.format(new HostBridges().all()));
  }

  /** All that B can use once this kernel has parked, as start and size. */
  private static List<List<Long>> memory(IoMem iomem) {
    var memory = new ArrayList<List<Long>>();
    memory.addAll(SystemRam.toJson(SystemRam.withoutCrashRegion(iomem)));
    // This kernel's tables, if another one started it; the CPU that parked beside them is in use.
    for (IoMem.Range range : iomem.named("Twinkernel tables")) {
      memory.add(List.of(range.start(), range.size()));
    }
    return memory;
  }

  private static long size(Optional<TwinInfo.Range> range) {
    return range.map(TwinInfo.Range::size).orElse(0L);
  }
}
