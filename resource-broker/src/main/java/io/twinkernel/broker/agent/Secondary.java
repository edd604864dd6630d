package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.CpuHotplug;
import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Command;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The broker of a kernel that was started beside another one and takes its work over. */
public final class Secondary {
  /** A takes its CPUs offline one by one, each a round through all of them. */
  private static final Duration RELEASE = Duration.ofMinutes(2);

  private final TwinDevice device;
  private final String kernel;
  private final Incoming.Taken taken;
  private final Arena mapping;
  private final Broker broker;
  private final Reporter reporter;
  private boolean absorbed;
  private @Nullable Outgoing outgoing;

  private Secondary(
      TwinDevice device, String kernel, Incoming.Taken taken, Arena mapping, Broker broker) {
    this.device = device;
    this.kernel = kernel;
    this.taken = taken;
    this.mapping = mapping;
    this.broker = broker;
    this.reporter = new Reporter(kernel, broker::event);
  }

  /**
   * Takes over, then serves the control plane: to the end of this upgrade as its secondary, and
   * from the plan of the next one on as the primary.
   *
   * @param kernel this kernel's release
   */
  public static void run(TwinDevice device, String kernel)
      throws IOException, InterruptedException {
    // First: the rest of getting ready is the faster for it.
    List<String> failures = CpuHotplug.onlineStartable();
    Arena mapping = Arena.ofShared();
    SharedRegion region = SharedRegion.open(device.mapShared(mapping));
    Optional<Incoming.Taken> taken =
        region.baton() == Baton.COMMITTED
            ? Optional.of(new TwinRecovery(device, region).run())
            : take(device, region, mapping, kernel, failures);
    if (taken.isPresent()) {
      serve(device, kernel, taken.get(), mapping);
    }
  }

  /** Empty if A panicked, and the machine was taken over, and served, without a switch. */
  private static Optional<Incoming.Taken> take(
      TwinDevice device, SharedRegion region, Arena mapping, String kernel, List<String> failures)
      throws IOException, InterruptedException {
    var incoming = new Incoming(device, region);
    try {
      return Optional.of(incoming.run(kernel, failures));
    } catch (LinkException.PeerGone gone) {
      new Failover(device, region, mapping, kernel).run(incoming);
      return Optional.empty();
    }
  }

  private static void serve(TwinDevice device, String kernel, Incoming.Taken taken, Arena mapping)
      throws IOException, InterruptedException {
    try (var broker = new Broker(taken.conf(), "secondary", kernel, device)) {
      var secondary = new Secondary(device, kernel, taken, mapping, broker);
      secondary.tellGap();
      broker.start();
      broker.serve(
          secondary::perform, () -> secondary.outgoing != null && secondary.outgoing.left());
      if (secondary.outgoing != null) {
        Primary.depart(device, secondary.outgoing);
      }
    }
  }

  /** Nobody knows it where the broker that was there has ended. */
  private void tellGap() throws IOException {
    if (taken.gap().isEmpty()) {
      return;
    }
    var clock = new Clock(device.info().tscKhz());
    Gap gap = taken.gap().get();
    reporter.gap(
        taken.upgrade(),
        clock,
        gap,
        Map.of(
            "trace", taken.trace(),
            "frozen_tsc", gap.frozen(),
            "tsc_khz", clock.tscKhz(),
            "clock_offset_ns", clock.offset(taken.region()),
            "gap_ms", clock.millis(gap.frozen(), gap.resumed())));
  }

  private Map<String, Object> perform(Command command) throws BrokerException {
    if (absorbed && command.verb() == Command.Verb.PLAN && outgoing == null) {
      becomePrimary();
    }
    if (outgoing != null) {
      return outgoing.perform(command);
    }
    return switch (command.verb()) {
      case ABSORB -> absorb(command);
      case STATUS -> Map.of("stage", absorbed ? "Absorbed" : "Committed");
      case PLAN, PREPARE, BOOT, PRECOPY, SWITCH, ROLLBACK ->
          throw BrokerException.refused(
              "wrong-kernel",
              "the verb " + command.verb().word(),
              "this kernel has just taken the machine over",
              "absorb the rest of the machine first");
    };
  }

  /** Not before: until then the control plane may still ask how the last upgrade ended. */
  private void becomePrimary() throws BrokerException {
    try {
      outgoing = Primary.outgoing(taken.conf(), device, kernel, broker);
      broker.become(Primary.ROLE);
    } catch (IOException e) {
      throw BrokerException.refused(
          "not-ready",
          "this kernel",
          e.getMessage() == null ? e.toString() : e.getMessage(),
          "read its console, then try again");
    }
  }

  private Map<String, Object> absorb(Command command) throws BrokerException {
    if (absorbed) {
      throw BrokerException.refused(
          "absorbed", "absorb", "this kernel has all there is", "nothing is left to do");
    }
    try (var _ = GivingWay.begin()) {
      Map<String, Object> figures =
          new Absorption(device, taken.region(), mapping, taken.peer()).absorb(RELEASE);
      absorbed = true;
      taken.cpus().keep().forEach(KernelLog::say);
      taken.restarts().run();
      return figures;
    } catch (IOException e) {
      String why = e.getMessage() == null ? e.toString() : e.getMessage();
      reporter.failed(command.upgrade(), "absorb", why, Map.of());
      throw new BrokerException(
          new Failure(
              "absorb-failed",
              "absorbing what A had",
              why,
              "the service runs on this kernel with what it has; look at both consoles",
              false),
          e);
    } catch (InterruptedException e) {
      throw BrokerException.refused(
          "committed", "rolling back", "this kernel owns the processes already", "upgrade back");
    }
  }
}
