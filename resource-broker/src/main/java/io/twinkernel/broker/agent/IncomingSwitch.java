package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.net.Rtnetlink;
import io.twinkernel.broker.prestage.ProcessDelta;
import io.twinkernel.broker.process.Criu;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.Tsc;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * B's side of the gap: takes the NIC while A dumps, brings the copies of the processes that wait
 * here up to date, or restores the processes, moves the baton to COMMITTED, and only then lets a
 * packet in or a process run. A stand-in held the address before, so that sockets could be restored
 * without the NIC.
 */
final class IncomingSwitch {
  private final TwinDevice device;
  private final SharedRegion region;
  private final Clock clock;
  private final IncomingState ready;
  private final Trace trace = new Trace("B");
  private final PrestagedProcesses copies;
  private final List<Background> deltas = new ArrayList<>();
  private @Nullable String nic;

  IncomingSwitch(
      TwinDevice device,
      SharedRegion region,
      Clock clock,
      IncomingState ready,
      PrestagedProcesses copies) {
    this.device = device;
    this.region = region;
    this.clock = clock;
    this.ready = ready;
    this.copies = copies;
  }

  Criu criu() {
    return ready.criu();
  }

  Trace trace() {
    return trace;
  }

  /** A has let go of the NIC: take it, link down. */
  void nicReleased(Inbox.Message message) throws IOException {
    trace.add("nic-message", message.json().number("sent_tsc"), message.arrivedTsc());
    long from = trace.add("nic-handler", message.arrivedTsc());
    ConsoleMessages.hold();
    device.adoptPci(ready.ssdt());
    from = trace.add("nic-bind", from);
    String name = ServiceNic.interfaceOf(ready.function());
    try (var netlink = Rtnetlink.open()) {
      netlink.configure(ready.standIn().state(), name);
    }
    trace.add("addresses", from);
    nic = name;
  }

  /** What the copy of one process lacks: apply it, beside the NIC. */
  void delta(Inbox.Message message) {
    trace.add("delta-handler", message.arrivedTsc());
    deltas.add(
        new Background(
            "delta",
            () -> {
              long from = Tsc.read();
              copies.take(ProcessDelta.fromBytes(message.payload()));
              trace.add("apply", from);
            }));
  }

  /**
   * All images are here: restore, commit, resume.
   *
   * @param arrivedTsc when the message came
   * @return when it happened
   * @throws IOException if A is to go on; nothing restored here runs
   */
  Gap resume(Fields complete, long arrivedTsc) throws IOException, InterruptedException {
    var pids = new ArrayList<Integer>();
    String name = nic;
    try {
      if (name == null) {
        throw new IOException("the image came before the NIC");
      }
      long from = trace.add("image-message", complete.number("sent_tsc"), arrivedTsc);
      Fields images = complete.object("images");
      for (String root : images.values().keySet()) {
        Path folder = ProcessCopy.IMAGES.resolve(images.text(root));
        pids.add(ready.criu().restore(folder));
      }
      for (Background delta : deltas) {
        delta.join();
      }
      copies.check();
      trace.add("restore", from);
      if (!region.moveBaton(Baton.SWITCHING, Baton.COMMITTED)) {
        throw new IOException("A has taken the baton back");
      }
    } catch (IOException e) {
      for (int pid : pids) {
        Processes.kill(pid, Linux.SIGKILL());
      }
      copies.clear();
      throw e;
    }
    long committed = Tsc.read();
    long from = committed;
    clock.adopt(region);
    openNetwork(name);
    from = trace.add("network-up", from);
    copies.connect();
    from = trace.add("connect", from);
    if (!copies.resume()) {
      ready.service().resume();
    }
    long resumed = trace.add("resume", from);
    return new Gap(
        complete.number("frozen_tsc"), complete.number("stopped_tsc"), committed, resumed);
  }

  /**
   * After the gap: CRIU, which is in the service's cgroup, and the images are not needed any more.
   */
  void cleanUp() throws IOException {
    copies.letGo();
    GracePeriods.usual();
    ConsoleMessages.usual();
    ready.standIn().clear();
    ready.criu().close();
    ProcessCopy.clear();
  }

  private void openNetwork(String name) throws IOException {
    try (var netlink = Rtnetlink.open()) {
      netlink.activate(ready.standIn().state(), name);
    }
  }
}
