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
  private @Nullable Background nic;

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
    trace.add("nic-handler", message.arrivedTsc());
    nic =
        new Background(
            "nic-bind",
            () -> {
              long from = Tsc.read();
              device.adoptPci(ready.ssdt());
              trace.add("nic-bind", from);
            });
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
    try {
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
      from = trace.add("restore", from);
      Background binding = nic;
      if (binding == null) {
        throw new IOException("the image came before the NIC");
      }
      binding.join();
      trace.add("nic-wait", from);
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
    openNetwork();
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
    ready.standIn().clear();
    ready.criu().close();
    ProcessCopy.clear();
  }

  /** A is gone before it gave everything: ends what waits for it, and leaves the NIC if it came. */
  void abandon() throws IOException, InterruptedException {
    Background binding = nic;
    if (binding != null) {
      binding.join();
    }
    cleanUp();
  }

  private void openNetwork() throws IOException {
    String name = ServiceNic.interfaceOf(ready.function());
    try (var netlink = Rtnetlink.open()) {
      ready.standIn().down(netlink);
      netlink.apply(ready.standIn().state(), name);
    }
  }
}
