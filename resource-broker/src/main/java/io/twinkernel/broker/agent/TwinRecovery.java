package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.link.TwinDoorbell;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.broker.prestage.OrphanedConnections;
import io.twinkernel.broker.prestage.SegmentSizes;
import io.twinkernel.broker.process.Criu;
import io.twinkernel.broker.process.PidSpace;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.FileSystems;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinPort;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a broker does that starts in B after the commit, because the one before it died: all of the
 * rest of {@link IncomingSwitch#resume} that is not done yet, so that the processes run here; then
 * the upgrade goes on. A has nothing left to go back to, so what cannot be done is said, and the
 * rest done. Of trees that have come after the pre-copy, and of containers, only A's first broker
 * knew the cgroups in which they were.
 */
final class TwinRecovery {
  private final TwinDevice device;
  private final SharedRegion region;

  TwinRecovery(TwinDevice device, SharedRegion region) {
    this.device = device;
    this.region = region;
  }

  Incoming.Taken run() throws IOException {
    KernelLog.say("recovery: this kernel owns the service; what is left of the switch is done");
    StageNote note = StageNote.read();
    Fields stage = note.stage();
    NodeConf conf = NodeConf.read();
    var service = new Service(Path.of(stage.text("cgroup")));
    List<ServiceProcess> processes = service.processes().processes();
    Optional<IncomingDisk> disk = IncomingDisk.read(stage);
    Optional<String> function = Optional.of(stage.text("port")).filter(name -> !name.isEmpty());
    Optional<TwinPort> port =
        function.isEmpty()
            ? Optional.empty()
            : Optional.of(ServicePort.port(device, function.get()));
    attempt("setting the clock", () -> setClock(processes));
    if (disk.isPresent()) {
      attempt(
          "letting writes to the disk go on", () -> FileSystems.thawIfFrozen(disk.get().point()));
    }
    attempt("opening the network", () -> open(port, note, conf));
    for (ServiceProcess process : processes) {
      attempt(
          "letting connections of process " + process.pid() + " go on",
          () -> OrphanedConnections.HERE.resume(process.pid()));
    }
    int youngest = (int) stage.number("last_pid");
    attempt("leaving numbers to services", () -> PidSpace.leaveToServices(youngest));
    service.resume();
    if (port.isPresent()) {
      attempt("announcing the service", () -> port.get().set(TwinPort.Mode.ANNOUNCE));
    }
    Peer peer = connect(port);
    peer.link().send(FrameType.OPENED, new byte[0]);
    peer.link().send(FrameType.RESUMED, new byte[0]);
    attempt("cleaning up", () -> cleanUp(processes));
    disk.ifPresent(IncomingDisk::settle);
    StagedCgroups.read(stage)
        .only(processes.stream().map(ServiceProcess::pid).collect(Collectors.toSet()))
        .apply(conf.serviceCgroup())
        .forEach(KernelLog::say);
    var wanted = ServiceCpus.read(stage.object("cpus"));
    var keeper = new CpuKeeper(wanted, () -> Service.of(conf), System.nanoTime());
    return new Incoming.Taken(
        Incoming.serviceOn(function, conf),
        stage.text("upgrade"),
        peer,
        region,
        Optional.empty(),
        List.of(),
        Restarts.read(stage),
        keeper);
  }

  /** One part of it. */
  @FunctionalInterface
  private interface Part {
    void run() throws IOException;
  }

  private static void attempt(String what, Part part) {
    try {
      part.run();
    } catch (IOException e) {
      KernelLog.say("recovery: " + what + ": " + e.getMessage());
    }
  }

  /** Unless the processes run: since then it may have been set by others. */
  private void setClock(List<ServiceProcess> processes) throws IOException {
    for (ServiceProcess process : processes) {
      if (SysFiles.readIfThere("/proc/" + process.pid() + "/stat").orElse("").contains(") T")) {
        new Clock(device.info().tscKhz()).adopt(region);
        return;
      }
    }
  }

  private static void open(Optional<TwinPort> port, StageNote note, NodeConf conf)
      throws IOException {
    if (port.isPresent()) {
      port.get().set(TwinPort.Mode.OPEN);
      return;
    }
    StandInInterface.remove();
    try (var netlink = Rtnetlink.open()) {
      netlink.apply(note.network(), ServiceNic.interfaceOf(conf.serviceFunction()));
    }
  }

  private static void cleanUp(List<ServiceProcess> processes) throws IOException {
    OrphanedConnections.HERE.forget();
    GracePeriods.usual();
    ConsoleMessages.usual();
    Criu.endLeft(ProcessCopy.WORK);
    ProcessCopy.clear();
    for (ServiceProcess process : processes) {
      SegmentSizes.workOut(process.pid());
    }
  }

  /** A goes on sending what its interface receives. */
  private Peer connect(Optional<TwinPort> port) {
    var inbox = new Inbox();
    return new Peer(
        region.connect(
            SharedRegion.Side.B,
            new TwinDoorbell(device),
            (type, payload) -> {
              if (type != FrameType.FRAMES) {
                inbox.put(type, payload.toArray(ValueLayout.JAVA_BYTE));
              } else if (port.isPresent()) {
                give(port.get(), payload);
              }
            },
            inbox::end),
        inbox);
  }

  private static void give(TwinPort port, MemorySegment frames) {
    try {
      port.give(frames.toArray(ValueLayout.JAVA_BYTE));
    } catch (IOException e) {
      KernelLog.say("frames that A received are lost: " + e.getMessage());
    }
  }
}
