package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.cpu.CpuHotplug;
import io.twinkernel.broker.cpu.CpuList;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** After the commit: B takes the CPUs and the memory that A leaves. */
final class Absorption {
  /** A rings no bell once it has parked, so that is looked for at intervals. */
  private static final Duration LOOK = Duration.ofMillis(10);

  private final TwinDevice device;
  private final SharedRegion region;
  private final Peer peer;

  Absorption(TwinDevice device, SharedRegion region, Peer peer) {
    this.device = device;
    this.region = region;
    this.peer = peer;
  }

  /**
   * Asks A for the rest of the machine and takes it.
   *
   * @param deadline how long A may take to let go
   * @return figures: CPUs, bytes of memory, the CPU on which A is parked
   */
  Map<String, Object> absorb(Duration deadline) throws IOException, InterruptedException {
    peer.link().send(FrameType.RELEASE_MACHINE, new byte[0]);
    Fields released = awaitReleased(deadline);
    awaitParked(deadline);
    device.promote();
    List<Integer> cpus = takeCpus(released);
    long offered = 0;
    long taken = 0;
    for (Object range : (List<?>) released.values().getOrDefault("memory", List.of())) {
      long start = ((Number) ((List<?>) range).get(0)).longValue();
      long size = ((Number) ((List<?>) range).get(1)).longValue();
      offered += size;
      taken += device.addMemory(start, size);
    }
    return Map.of(
        "cpus", cpus,
        "memory_bytes", taken,
        "memory_total_bytes", offered,
        "parked_apic_id", released.number("parked_apic_id"));
  }

  private Fields awaitReleased(Duration deadline) throws IOException, InterruptedException {
    long end = System.nanoTime() + deadline.toNanos();
    while (true) {
      Inbox.Message message =
          peer.inbox()
              .poll(end - System.nanoTime())
              .orElseThrow(
                  () -> new IOException("A did not let go within " + deadline.toSeconds() + " s"));
      if (message.type() == FrameType.MACHINE_RELEASED) {
        return message.json();
      }
    }
  }

  private void awaitParked(Duration deadline) throws IOException {
    long end = System.nanoTime() + deadline.toNanos();
    while (!region.parked()) {
      if (System.nanoTime() > end) {
        throw new IOException("A did not park within " + deadline.toSeconds() + " s");
      }
      device.poll(LOOK);
    }
  }

  /**
   * Takes every CPU but the one on which A is parked. A kernel that lists the machine's boot CPU
   * (to 6.8) gives it the first number after its own CPU, as it stands first in the MADT.
   */
  private static List<Integer> takeCpus(Fields released) throws IOException {
    List<Integer> present = CpuList.parse(CpuHotplug.presentList());
    List<Integer> online = CpuList.parse(CpuHotplug.onlineList());
    int machine = released.numbers("apic_ids").size() + 1 + online.size();
    boolean listsBootCpu = present.size() == machine;
    for (int cpu : present) {
      boolean parked = listsBootCpu && cpu == 1;
      if (!online.contains(cpu) && !parked) {
        CpuHotplug.online(cpu);
      }
    }
    return new ArrayList<>(ApicIds.read().keySet());
  }
}
