package io.twinkernel.broker.agent;

import io.twinkernel.broker.acpi.AcpiTables;
import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.cpu.ApicIds;
import io.twinkernel.broker.cpu.CpuHotplug;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.memory.CrashRegion;
import io.twinkernel.broker.memory.SystemRam;
import io.twinkernel.broker.pci.HostBridges;
import io.twinkernel.broker.pci.PciDelegation;
import io.twinkernel.broker.plan.IoMem;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * After the commit: B takes the CPUs, the memory and the buses that A leaves, but for a piece of
 * memory that the next kernel starts in.
 */
final class Absorption {
  /** A rings no bell once it has parked, so that is looked for at intervals. */
  private static final Duration LOOK = Duration.ofMillis(10);

  private final TwinDevice device;
  private final SharedRegion region;
  private final Arena mapping;
  private final Peer peer;

  /**
   * @param mapping of {@code region}, which this ends
   */
  Absorption(TwinDevice device, SharedRegion region, Arena mapping, Peer peer) {
    this.device = device;
    this.region = region;
    this.mapping = mapping;
    this.peer = peer;
  }

  /**
   * Asks A for the rest of the machine and takes it.
   *
   * @param deadline how long A may take to let go
   * @return figures: CPUs, bytes of memory, buses, whether the machine's boot CPU was taken or
   *     stays parked, and its APIC id then
   */
  Map<String, Object> absorb(Duration deadline) throws IOException, InterruptedException {
    peer.link().send(FrameType.RELEASE_MACHINE, new byte[0]);
    Fields released = awaitReleased(deadline);
    TwinInfo.Range shared = promote(deadline);
    return take(released, shared);
  }

  /**
   * Waits until A runs nothing any more, and leaves the region that was shared with it: this kernel
   * is the primary from then on.
   *
   * @return where the region was
   */
  TwinInfo.Range promote(Duration deadline) throws IOException, InterruptedException {
    awaitParked(deadline);
    peer.link().close();
    peer.link().join();
    TwinInfo.Range shared = device.info().shared().orElseThrow();
    mapping.close();
    device.promote();
    return shared;
  }

  /**
   * Takes what A left.
   *
   * @param released as {@link Departure#machine} says it
   * @param shared where the shared region was
   * @return figures as {@link #absorb} gives them
   */
  Map<String, Object> take(Fields released, TwinInfo.Range shared) throws IOException {
    CpuHotplug.onlineAll();
    List<SystemRam.Range> memory = memory(released);
    long offered = SystemRam.total(memory);
    memory.addAll(done(shared));
    Optional<SystemRam.Range> crash = CrashRegion.choose(memory, released.number("crash_bytes"));
    if (crash.isPresent()) {
      device.crashRegion(crash.get().start(), crash.get().size());
    }
    long taken = crash.map(SystemRam.Range::size).orElse(0L);
    for (SystemRam.Range range :
        crash.map(part -> SystemRam.without(memory, part)).orElse(memory)) {
      taken += device.addMemory(range.start(), range.size());
    }
    for (SystemRam.Range range : leftOut(released)) {
      taken += addScrap(range);
    }
    List<String> buses = adopt(released.texts("host_bridges"));
    Map<String, Object> figures = bootCpu(released);
    figures.put("cpus", new ArrayList<>(ApicIds.read().keySet()));
    figures.put("memory_bytes", taken);
    figures.put("memory_total_bytes", offered);
    figures.put("crash_bytes", crash.map(SystemRam.Range::size).orElse(0L));
    figures.put("buses", buses);
    return figures;
  }

  /** At the end: with all else B goes on without it. */
  private static Map<String, Object> bootCpu(Fields released) throws MalformedMessageException {
    var figures = new LinkedHashMap<String, Object>();
    Optional<String> failure = CpuHotplug.onlineBootCpu();
    figures.put("boot_cpu", failure.isEmpty() ? "taken" : "parked");
    if (failure.isPresent()) {
      KernelLog.say("the machine's boot CPU stays parked: " + failure.get());
      figures.put("parked_apic_id", released.number("parked_apic_id"));
    }
    return figures;
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
      if ((device.poll(LOOK) & Linux.POLLHUP()) != 0) {
        // A's heart has stopped: from here on the poll does not wait any more.
        LockSupport.parkNanos(LOOK.toNanos());
      }
    }
  }

  /** What A had, without what it let go before: this kernel has that already. */
  private static List<SystemRam.Range> memory(Fields released) throws IOException {
    IoMem own = IoMem.read();
    var memory = new ArrayList<SystemRam.Range>();
    for (SystemRam.Range range : SystemRam.fromJson(released, "memory")) {
      memory.addAll(SystemRam.leftOut(range, own));
    }
    return memory;
  }

  /** The part of the region that the module does not keep: the rings. */
  private static List<SystemRam.Range> done(TwinInfo.Range shared) throws IOException {
    var whole = List.of(new SystemRam.Range(shared.start(), shared.size()));
    return SystemRam.withoutTwins(whole, IoMem.read());
  }

  /**
   * Parts of the region that this kernel was loaded into and that are not in its memory map: what
   * kexec keeps there for a crash-dump kernel, which this one is not. Lost, they would be a hole in
   * the way of a later kernel's region.
   */
  private static List<SystemRam.Range> leftOut(Fields released) throws IOException {
    List<?> twin = released.list("twin");
    if (!(twin.size() == 2
        && twin.get(0) instanceof Long start
        && twin.get(1) instanceof Long size)) {
      return List.of();
    }
    return SystemRam.leftOut(new SystemRam.Range(start, size), IoMem.read());
  }

  /** Some pages more or less are not worth failing for. */
  private long addScrap(SystemRam.Range range) {
    try {
      return device.addMemory(range.start(), range.size());
    } catch (SyscallException e) {
      KernelLog.say("left out: " + e.getMessage());
      return 0;
    }
  }

  /** Enumerates the buses that only A had. */
  private List<String> adopt(List<String> lines) throws IOException {
    new HostBridges().record(lines);
    var adopted = new ArrayList<String>();
    for (HostBridge bridge : HostBridges.parse(lines)) {
      String bus = String.format(Locale.ROOT, "0000:%02x", bridge.startBus());
      if (!PciDelegation.hasBus(bus)) {
        device.adoptPci(AcpiTables.ssdt(bridge, "TWIN" + bus.substring(5)));
        adopted.add(bus);
      }
    }
    return List.copyOf(adopted);
  }
}
