package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Command;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.Map;

/** The broker of a kernel that was started beside another one and takes its work over. */
public final class Secondary {
  /** A takes its CPUs offline one by one, each a round through all of them. */
  private static final Duration RELEASE = Duration.ofMinutes(2);

  private final TwinDevice device;
  private final Incoming.Taken taken;
  private final Reporter reporter;
  private boolean absorbed;

  private Secondary(TwinDevice device, Incoming.Taken taken, Reporter reporter) {
    this.device = device;
    this.taken = taken;
    this.reporter = reporter;
  }

  /**
   * Takes over, then serves the control plane.
   *
   * @param kernel this kernel's release
   */
  public static void run(TwinDevice device, String kernel)
      throws IOException, InterruptedException {
    SharedRegion region = SharedRegion.open(device.mapShared(Arena.global()));
    Incoming.Taken taken = new Incoming(device, region).run(kernel);
    try (var broker = new Broker(taken.conf(), "secondary", kernel, device)) {
      var reporter = new Reporter(kernel, broker::event);
      var clock = new Clock(device.info().tscKhz());
      Gap gap = taken.gap();
      reporter.gap(
          taken.upgrade(),
          clock,
          gap,
          Map.of(
              "trace", taken.trace(),
              "frozen_tsc", gap.frozen(),
              "tsc_khz", clock.tscKhz(),
              "clock_offset_ns", clock.offset(region),
              "gap_ms", clock.millis(gap.frozen(), gap.resumed())));
      broker.start();
      var secondary = new Secondary(device, taken, reporter);
      broker.serve(secondary::perform, () -> false);
    }
  }

  private Map<String, Object> perform(Command command) throws BrokerException {
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

  private Map<String, Object> absorb(Command command) throws BrokerException {
    if (absorbed) {
      throw BrokerException.refused(
          "absorbed", "absorb", "this kernel has all there is", "nothing is left to do");
    }
    try {
      Map<String, Object> figures =
          new Absorption(device, taken.region(), taken.peer()).absorb(RELEASE);
      absorbed = true;
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
