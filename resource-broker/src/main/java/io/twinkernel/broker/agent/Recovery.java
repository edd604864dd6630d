package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.CpuHotplug;
import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.link.TwinDoorbell;
import io.twinkernel.broker.memory.MemoryLoan;
import io.twinkernel.broker.pci.PciDelegation;
import io.twinkernel.broker.prestage.SourceProcess;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.ffi.Kexec;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * What a broker does that starts in the middle of an upgrade, because the one before it died: it
 * looks at the machine. If B has the baton, A departs as it would have. Otherwise the upgrade is
 * undone, in the order in which a failed one is: B's CPUs first, then the NIC, the processes, the
 * rest.
 */
final class Recovery {
  private final NodeConf conf;
  private final TwinDevice device;

  Recovery(NodeConf conf, TwinDevice device) {
    this.conf = conf;
    this.device = device;
  }

  /**
   * Decides once and for all: a switch that B has not finished is aborted here, so that B cannot
   * finish it later.
   */
  boolean twinOwnsTheService() throws IOException {
    TwinInfo info = device.info();
    if (info.state() != TwinInfo.State.RUNNING || info.shared().isEmpty()) {
      return false;
    }
    try (Arena mapping = Arena.ofConfined()) {
      SharedRegion region = SharedRegion.open(device.mapShared(mapping));
      region.moveBaton(Baton.SWITCHING, Baton.ABORTED);
      return region.baton() == Baton.COMMITTED;
    } catch (LinkException e) {
      // Without a sound region B cannot have committed anything.
      KernelLog.say("recovery: " + e.getMessage());
      return false;
    }
  }

  /** Gives B the rest of the machine when it asks for it. Does not return. */
  void depart() throws IOException, InterruptedException {
    KernelLog.say("recovery: the other kernel owns the service; this one departs");
    SharedRegion region = SharedRegion.open(device.mapShared(Arena.global()));
    var inbox = new Inbox();
    var link =
        region.connect(
            SharedRegion.Side.A,
            new TwinDoorbell(device),
            (type, payload) -> inbox.put(type, payload.toArray(ValueLayout.JAVA_BYTE)),
            inbox::end);
    new Departure(device).run(Service.of(conf), new Peer(link, inbox));
  }

  /** Undoes what is left of an upgrade; where there is none, does nothing. */
  void goOn() throws IOException {
    TwinInfo.State state = device.info().state();
    List<String> functions = PciDelegation.released();
    if (state == TwinInfo.State.IDLE && functions.isEmpty()) {
      // It may have died before anything else was done.
      new MemoryLoan().takeBack();
      return;
    }
    KernelLog.say("recovery: undoing an upgrade that was left at " + state);
    CpuHotplug.onlineAll();
    CpuHotplug.onlineBootCpu().ifPresent(why -> KernelLog.say("the machine's boot CPU: " + why));
    if (state == TwinInfo.State.ARMED || state == TwinInfo.State.RUNNING) {
      device.disarm();
    }
    for (String function : functions) {
      PciDelegation.quiesce(function);
      PciDelegation.reprobe(function);
    }
    ServiceNic.recover(device, conf.serviceFunction());
    ServicePort.recover(device, conf.serviceFunction());
    ServiceDisk.recover(device);
    GracePeriods.usual();
    ConsoleMessages.usual();
    Service service = Service.of(conf);
    for (ServiceProcess process : service.processes().processes()) {
      SourceProcess.abandon(process.pid());
    }
    service.resume();
    ProcessCopy.close();
    if (state != TwinInfo.State.IDLE) {
      Kexec.unload(Linux.KEXEC_FILE_ON_CRASH());
      device.carve(0);
    }
    new MemoryLoan().takeBack();
  }
}
