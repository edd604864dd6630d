package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.CpuHotplug;
import io.twinkernel.broker.cpu.PinnedThreads;
import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.link.TwinDoorbell;
import io.twinkernel.broker.memory.MemoryLoan;
import io.twinkernel.broker.pci.PciDelegation;
import io.twinkernel.broker.prestage.SourceProcess;
import io.twinkernel.broker.process.Criu;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.ffi.Kexec;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a broker does that starts in the middle of an upgrade, because the one before it died: it
 * looks at the machine. If B has the baton, A departs as it would have. Otherwise the upgrade is
 * undone, in the order in which a failed one is: the processes first if B can have no device of
 * theirs, and else B's CPUs, then the NIC, the processes, the rest.
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
    return decide(device, Baton.SWITCHING).equals(Optional.of(Baton.COMMITTED));
  }

  /**
   * Aborts a switch.
   *
   * @param from where the baton is if there is one to be aborted; ABORTED: nothing is moved
   * @return where it is then, A's if there is no B; empty if there is one and the region is not
   *     sound: B must have stopped before the processes go on
   */
  static Optional<Baton> decide(TwinDevice device, Baton from) throws IOException {
    TwinInfo info = device.info();
    if (info.state() != TwinInfo.State.RUNNING || info.shared().isEmpty()) {
      return Optional.of(Baton.HELD_BY_A);
    }
    try (Arena mapping = Arena.ofConfined()) {
      SharedRegion region = SharedRegion.open(device.mapShared(mapping));
      region.moveBaton(from, Baton.ABORTED);
      return Optional.of(region.baton());
    } catch (LinkException e) {
      KernelLog.say("recovery: " + e.getMessage());
      return Optional.empty();
    }
  }

  /** Whether the processes can go on here though B has not been stopped. */
  static boolean canGoOn(Optional<Baton> baton) {
    return baton.equals(Optional.of(Baton.HELD_BY_A))
        || (baton.equals(Optional.of(Baton.ABORTED)) && ServiceStays.isNoted());
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
      PinnedThreads.read().restore();
      new MemoryLoan().takeBack();
      return;
    }
    KernelLog.say("recovery: undoing an upgrade that was left at " + state);
    var failed = new IOException("not all of the upgrade is undone");
    boolean resumed = canGoOn(decide(device, Baton.SWITCHING)) && attempt(this::resume, failed);
    CpuHotplug.onlineAll();
    CpuHotplug.onlineBootCpu().ifPresent(why -> KernelLog.say("the machine's boot CPU: " + why));
    attempt(() -> PinnedThreads.read().restore(), failed);
    if (state == TwinInfo.State.ARMED || state == TwinInfo.State.RUNNING) {
      device.disarm();
    }
    for (String function : functions) {
      PciDelegation.quiesce(function);
      PciDelegation.reprobe(function);
    }
    if (!resumed) {
      resume();
    }
    GracePeriods.usual();
    ConsoleMessages.usual();
    Criu.endLeft(ProcessCopy.WORK);
    // What CRIU was at work on it leaves as it found it, stopped.
    Service.of(conf).resume();
    ProcessCopy.close();
    if (state != TwinInfo.State.IDLE) {
      Kexec.unload(Linux.KEXEC_FILE_ON_CRASH());
      device.carve(0);
    }
    new MemoryLoan().takeBack();
  }

  /** Something to be undone. */
  @FunctionalInterface
  private interface Part {
    void run() throws IOException;
  }

  /** Whether it could be done. */
  private static boolean attempt(Part part, IOException failed) {
    try {
      part.run();
      return true;
    } catch (IOException e) {
      failed.addSuppressed(e);
      KernelLog.say("recovery: " + e.getMessage());
      return false;
    }
  }

  private void resume() throws IOException {
    Service service = Service.of(conf);
    var failed = new IOException("not all of what was done to the service is undone");
    try {
      for (ServiceProcess process : service.processes().processes()) {
        // Before the network is back: what comes in is to find its connections as they were.
        attempt(() -> abandon(process.pid()), failed);
      }
      attempt(() -> ServiceNic.recover(device, conf.serviceFunction()), failed);
      attempt(() -> ServicePort.recover(device, conf.serviceFunction()), failed);
      attempt(() -> ServiceDisk.recover(device), failed);
    } finally {
      service.release();
    }
    if (failed.getSuppressed().length > 0) {
      throw failed;
    }
  }

  private static void abandon(int pid) throws IOException {
    try {
      SourceProcess.abandon(pid);
    } catch (IOException e) {
      // It may have ended.
      if (Files.exists(Path.of("/proc/" + pid))) {
        throw e;
      }
    }
  }
}
