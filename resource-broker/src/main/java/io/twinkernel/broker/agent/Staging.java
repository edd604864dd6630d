package io.twinkernel.broker.agent;

import io.twinkernel.broker.acpi.AcpiTables;
import io.twinkernel.broker.acpi.HostBridge;
import io.twinkernel.broker.memory.SystemRam;
import io.twinkernel.broker.pci.BusAhead;
import io.twinkernel.broker.policy.Container;
import io.twinkernel.broker.policy.MovePlan;
import io.twinkernel.broker.prestage.HalfClosed;
import io.twinkernel.broker.process.CgroupLayout;
import io.twinkernel.broker.process.Criu;
import io.twinkernel.broker.process.PidSpace;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Tells B ahead of the switch all that it will need in it, and starts CRIU on this side. */
final class Staging {
  /** The service's practice may take this part of the time that B has to get ready. */
  private static final int PRACTICE_PART = 8;

  private final NodeConf conf;
  private final TwinDevice device;

  Staging(NodeConf conf, TwinDevice device) {
    this.conf = conf;
    this.device = device;
  }

  /**
   * @param deadline how long B may take to get ready
   */
  Stage.Copied stage(Stage.Booted booted, Undo undo, Duration deadline)
      throws IOException, BrokerException, InterruptedException {
    undo.push("removing the images", ProcessCopy::close);
    ProcessCopy.open();
    Guard guard = Guard.start();
    undo.push("ending the guard", guard::close);
    ServiceNic nic = ServiceNic.capture(device, conf.serviceFunction());
    nic.record();
    Optional<ServiceDisk> disk = ServiceDisk.capture(device, Planner.policy(conf).disk());
    // Anew: processes come and go between plan and precopy.
    MovePlan moves = Planner.moves(conf);
    if (!moves.refusals().isEmpty()) {
      throw Planner.refused(moves.refusals());
    }
    var service = new Service(moves.moves().cgroups());
    var clocks = ServiceClocks.of(service);
    Peer peer = booted.peer();
    List<SystemRam.Range> lent = booted.prepared().loan().ranges();
    if (!lent.isEmpty()) {
      peer.send(FrameType.MEMORY, Map.of("ranges", SystemRam.toJson(lent)));
    }
    Optional<String> port = booted.prepared().plan().port();
    ServiceStays.note(port.isPresent() && disk.isEmpty());
    HostBridge bridge = Preparation.hostBridge(nic.bus());
    peer.link().send(FrameType.SSDT, AcpiTables.ssdt(bridge, "TWINNIC"));
    peer.link().send(FrameType.INTERFACE, nic.state().toBytes());
    CgroupLayout layout = CgroupLayout.read(moves.moves().cgroups());
    peer.send(
        FrameType.STAGE,
        Map.ofEntries(
            Map.entry("upgrade", booted.prepared().plan().upgrade()),
            Map.entry("function", conf.serviceFunction()),
            Map.entry("port", port.orElse("")),
            Map.entry("bus", BusAhead.of(bridge).toJson()),
            Map.entry("disks", disk.map(one -> List.of(one.toJson())).orElse(List.of())),
            Map.entry("cgroup", conf.serviceCgroup().toString()),
            Map.entry("threads", service.threads()),
            Map.entry("last_pid", PidSpace.last()),
            Map.entry("files", StagedFiles.toJson(moves.files())),
            Map.entry("cgroups", StagedCgroups.toJson(layout)),
            Map.entry("cpus", ServiceCpus.of(service, layout).toJson()),
            Map.entry("containers", StagedContainers.toJson(moves.containers())),
            Map.entry("practice_ms", deadline.dividedBy(PRACTICE_PART).toMillis()),
            Map.entry("restart", Restarts.of(moves.moves()).toJson()),
            Map.entry("clocks", clocks.reading()),
            Map.entry(
                "fault",
                booted.prepared().plan().switchFault().map(SwitchFault::word).orElse(""))));
    undo.push("letting grace periods take their time", GracePeriods::usual);
    GracePeriods.expedite();
    Background.prepare();
    WarmUp.fly(conf.practice(), _ -> {});
    Criu criu = Criu.start(Files.createDirectories(ProcessCopy.WORK), clocks.criu());
    undo.push("ending CRIU", criu::close);
    criu.check();
    Optional<Inbox.Message> staged = peer.inbox().poll(deadline.toNanos());
    if (staged.isEmpty() || staged.get().type() != FrameType.STAGED) {
      throw new BrokerException(
          new Failure(
              "twin-not-ready",
              "kernel B's broker",
              staged.isEmpty()
                  ? "it did not get ready within " + deadline.toSeconds() + " s"
                  : "it could not get ready: " + Failure.fromJson(staged.get().json()).why(),
              "read B's console; A goes on as before",
              false));
    }
    var copy =
        new ProcessCopy(
            criu,
            clocks,
            new ImageSender(peer.link()),
            moves.containers().stream()
                .collect(Collectors.toMap(Container::pid, Container::mounts)));
    String point = disk.map(ServiceDisk::point).orElse("");
    // By a packet filter what B's broker says there in a peer's name may not come.
    HalfClosed halves = conf.imageHasRules() ? HalfClosed.NONE : HalfClosed.outside();
    var maker = new CopyMaker(peer, service, copy, point, halves, deadline);
    var prestaging = new Prestaging(peer, service);
    undo.push("letting go of the processes", prestaging::close);
    var copies =
        new Copies(
            service,
            maker,
            prestaging,
            copy,
            service.roots(),
            () -> {
              MovePlan now = Planner.moves(conf);
              if (!now.refusals().isEmpty()) {
                throw Planner.refused(now.refusals());
              }
            });
    OutgoingNic leaving =
        port.isEmpty() ? nic : ServicePort.of(device, conf.serviceFunction(), peer, undo);
    guard.awaitReady(deadline);
    return new Stage.Copied(
        booted, leaving, disk, service, clocks, copy, prestaging, copies, guard);
  }
}
