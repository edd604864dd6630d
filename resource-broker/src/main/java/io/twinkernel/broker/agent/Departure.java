package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.cpu.CpuHotplug;
import io.twinkernel.broker.memory.SystemRam;
import io.twinkernel.broker.plan.IoMem;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What A does once B owns the processes: ends its own copies of them, and when B asks, lets go of
 * every CPU but the machine's boot CPU, tells what memory it had, and parks there for good.
 */
final class Departure {
  private static final int BOOT_CPU = 0;

  private final TwinDevice device;

  Departure(TwinDevice device) {
    this.device = device;
  }

  /** Does not return: in the end this kernel runs nothing any more. */
  void run(Service service, Peer peer) throws IOException, InterruptedException {
    service.kill();
    Inbox.Message message = peer.inbox().take();
    while (message.type() != FrameType.RELEASE_MACHINE) {
      message = peer.inbox().take();
    }
    var apicIds = ApicIds.read();
    var cpus = new ArrayList<Integer>();
    for (var cpu : apicIds.entrySet()) {
      if (cpu.getKey() != BOOT_CPU) {
        CpuHotplug.offline(cpu.getKey());
        cpus.add(cpu.getValue());
      }
    }
    var memory = new ArrayList<List<Long>>();
    for (SystemRam.Range range :
        SystemRam.withoutCrashRegion(IoMem.parse(SysFiles.read("/proc/iomem")))) {
      memory.add(List.of(range.start(), range.size()));
    }
    peer.send(
        FrameType.MACHINE_RELEASED,
        Map.of("apic_ids", cpus, "memory", memory, "parked_apic_id", apicIds.get(BOOT_CPU)));
    device.park();
  }
}
