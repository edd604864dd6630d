package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.client.OutsideClient;
import io.twinkernel.harness.control.RestClient;
import io.twinkernel.harness.qemu.Machine;
import io.twinkernel.harness.qemu.MachineSpec;
import io.twinkernel.harness.report.DemoReport.KernelFacts;
import io.twinkernel.harness.report.LatencySeries;
import io.twinkernel.harness.report.Svg;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The upgrades after the first one: each goes on from what the one before left. The two buses with
 * a console take turns: one is the serving kernel's, the other is given to the next kernel.
 */
final class Chain {

  private static final Duration SILENCE = Duration.ofSeconds(60);

  /** An operator installs the next kernel's files over the network. */
  private static final Duration INSTALL = Duration.ofMinutes(5);

  private static final Duration REDIAL = Duration.ofMinutes(1);

  private final Machine machine;
  private final RestClient rest;
  private final int bridgePort;
  private final Narrator narrator;
  private final String fileServer;
  private final int twinCpus;
  private Side serving = Side.B;

  /** A console and the bus that it is on. */
  private enum Side {
    B(MachineSpec.TWIN_BUS),
    C(MachineSpec.NEXT_BUS);

    private final String bus;

    Side(String bus) {
      this.bus = bus;
    }

    Side other() {
      return this == B ? C : B;
    }
  }

  /**
   * One upgrade of the chain.
   *
   * @param state the control plane's in the end
   * @param failure what failed, empty if nothing did
   * @param bothRan what {@code uname -r} said on both consoles before the switch
   * @param gapMs the longest time without an answer on a connection, from its request to its end
   * @param after the kernel that serves then; null if the upgrade did not complete
   */
  record Link(
      String from,
      String to,
      String state,
      String failure,
      List<String> bothRan,
      double gapMs,
      @Nullable KernelFacts after) {}

  /**
   * @param fileServer where the serving kernel fetches the next one's files, as "HOST:PORT"
   * @param twinCpus how many CPUs the next kernel starts on
   */
  Chain(
      Machine machine,
      RestClient rest,
      int bridgePort,
      Narrator narrator,
      String fileServer,
      int twinCpus) {
    this.machine = machine;
    this.rest = rest;
    this.bridgePort = bridgePort;
    this.narrator = narrator;
    this.fileServer = fileServer;
    this.twinCpus = twinCpus;
  }

  /** Upgrades the kernel that serves now to the next one. */
  Link next(KernelFacts from, RunPlan.NextKernel to, OutsideClient client)
      throws HarnessException, IOException {
    Side next = serving.other();
    Path here = console(serving);
    String folder = "/boot/twin/" + to.release();
    install(here, folder, to.release());
    Readiness.awaitBroker(machine, rest, REDIAL);
    Map<String, Object> request =
        Map.of(
            "node",
            "demo",
            "image",
            folder + "/vmlinuz",
            "initrd",
            folder + "/initrd",
            "cpus",
            from.cpus().reversed().subList(0, twinCpus),
            "buses",
            List.of(next.bus),
            "until",
            "boot");
    var bothRan = new String[] {"", ""};
    var run = new UpgradeRun(machine, rest, bridgePort, narrator);
    long askedAt = System.nanoTime();
    run.run(
        request,
        () -> {
          bothRan[0] = KernelProbe.release(here);
          bothRan[1] = KernelProbe.release(console(next));
          narrator.say("two kernels at work: " + bothRan[0] + " and " + bothRan[1]);
        });
    KernelFacts after = null;
    if (run.state().equals("COMPLETE")) {
      client.awaitCalm(SILENCE);
      serving = next;
      after = KernelProbe.facts(console(next));
    }
    double gap =
        new LatencySeries(client.records(), askedAt)
            .between("gap", askedAt, System.nanoTime())
            .gapMs();
    narrator.say(from.release() + " to " + to.release() + ": longest gap " + Svg.duration(gap));
    return new Link(
        from.release(), to.release(), run.state(), run.failure(), List.of(bothRan), gap, after);
  }

  private void install(Path console, String folder, String release) throws IOException {
    long start = System.nanoTime();
    String fetch = "wget -q -O %s/%s http://" + fileServer + "/" + release + "/%s";
    String said =
        KernelProbe.command(
            console,
            "mkdir -p "
                + folder
                + " && "
                + fetch.formatted(folder, "vmlinuz", "vmlinuz")
                + " && "
                + fetch.formatted(folder, "initrd", "initrd")
                + " && echo fetched",
            INSTALL);
    if (!said.endsWith("fetched")) {
      throw new IOException("the kernel's files were not fetched: " + said);
    }
    narrator.say(release + " installed, in " + Svg.duration((System.nanoTime() - start) / 1e6));
  }

  private Path console(Side side) {
    return side == Side.B ? machine.files().consoleB() : machine.files().consoleC();
  }
}
