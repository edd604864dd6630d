package io.twinkernel.broker.agent;

import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The broker of the kernel that owns the machine. */
public final class Primary {
  /** B boots beside a machine at work, so it may take longer than A did alone. */
  private static final int BOOT_FACTOR = 5;

  private static final Duration SHORTEST_BOOT = Duration.ofSeconds(20);

  static final String ROLE = "primary";

  private Primary() {}

  /**
   * Serves the control plane until this kernel has given everything away and parks.
   *
   * @param kernel this kernel's release
   */
  public static void run(NodeConf conf, TwinDevice device, String kernel)
      throws IOException, InterruptedException {
    var recovery = new Recovery(conf, device);
    if (recovery.twinOwnsTheService()) {
      recovery.depart();
      return;
    }
    recovery.goOn();
    try (var broker = new Broker(conf, ROLE, kernel, device)) {
      Outgoing outgoing = outgoing(conf, device, kernel, broker);
      broker.start();
      broker.serve(outgoing::perform, outgoing::left);
      depart(device, outgoing);
    }
  }

  /** An upgrade on the kernel that owns the machine, whether it did so from the start or not. */
  static Outgoing outgoing(NodeConf conf, TwinDevice device, String kernel, Broker broker)
      throws IOException {
    return new Outgoing(
        conf,
        device,
        new Reporter(kernel, broker::event),
        broker::event,
        broker::between,
        bootDeadline());
  }

  /** Gives the rest of the machine to the other kernel, once that owns the service. */
  static void depart(TwinDevice device, Outgoing outgoing)
      throws IOException, InterruptedException {
    if (outgoing.stage() instanceof Stage.Left left) {
      new Departure(device).run(left.copied().service(), left.copied().booted().peer());
    }
  }

  /** What this kernel took to come this far says how fast the machine is, emulated or not. */
  private static Duration bootDeadline() throws IOException {
    String uptime = Files.readString(Path.of("/proc/uptime"), StandardCharsets.US_ASCII);
    double seconds = Double.parseDouble(uptime.substring(0, uptime.indexOf(' ')));
    // A broker that was restarted later in the machine's life says nothing about booting.
    var measured = Duration.ofMillis((long) (Math.min(seconds, 60) * 1000 * BOOT_FACTOR));
    return measured.compareTo(SHORTEST_BOOT) < 0 ? SHORTEST_BOOT : measured;
  }
}
