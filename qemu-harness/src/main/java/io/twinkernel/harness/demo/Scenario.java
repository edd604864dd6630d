package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.capture.TapCapture;
import io.twinkernel.harness.client.Dataset;
import io.twinkernel.harness.client.Load;
import io.twinkernel.harness.client.OutsideClient;
import io.twinkernel.harness.control.RestClient;
import io.twinkernel.harness.net.Namespace;
import io.twinkernel.harness.qemu.Machine;
import io.twinkernel.harness.qemu.MachineFiles;
import io.twinkernel.harness.qemu.MachineSpec;
import io.twinkernel.harness.report.DemoReport;
import io.twinkernel.harness.report.DemoReport.KernelFacts;
import io.twinkernel.harness.report.Svg;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One upgrade from outside, or several in a row: fills the service, holds connections to it, asks
 * the control plane for the upgrade, shows both kernels before the switch, follows to the end, and
 * judges.
 *
 * <p>The machine is up and its node has dialled in when this starts; both belong to the caller.
 */
final class Scenario {

  private static final Duration SILENCE = Duration.ofSeconds(60);

  private static final Duration CALM = Duration.ofSeconds(30);

  private final RunPlan plan;
  private final Machine machine;
  private final MachineFiles files;
  private final RestClient rest;
  private final int bridgePort;
  private final Narrator narrator;
  private final Findings findings;
  private final InetSocketAddress redis = new InetSocketAddress(Namespace.GUEST, 6379);

  Scenario(
      RunPlan plan,
      Machine machine,
      RestClient rest,
      int bridgePort,
      Narrator narrator,
      Findings findings) {
    this.plan = plan;
    this.machine = machine;
    this.files = machine.files();
    this.rest = rest;
    this.bridgePort = bridgePort;
    this.narrator = narrator;
    this.findings = findings;
  }

  /** Runs it; a failure ends up in the report and not as an exception. */
  DemoReport run() {
    Dataset dataset = Dataset.ofMegabytes(System.nanoTime(), plan.megabytes());
    OutsideClient client = null;
    TapCapture capture = null;
    List<WorkloadClients> web = List.of();
    try {
      fill(dataset);
      if (plan.workloads().any() || plan.postgres()) {
        findings.workloadsBefore = Workloads.awaitReady(files.consoleA());
        narrator.say("the workloads are at work");
      }
      if (plan.workloads().any()) {
        web = Workloads.connect(plan.workloads());
      }
      findings.aBefore = KernelProbe.facts(files.consoleA());
      capture = TapCapture.start(Namespace.BRIDGE, redis.getPort(), files.wire());
      client =
          OutsideClient.start(
              redis,
              dataset,
              new Load(
                  plan.connections(),
                  Duration.ofMillis(plan.pauseMillis()),
                  plan.rewrites(),
                  plan.visitors(),
                  plan.growth()),
              SILENCE);
      calm(client);
      upgrade(client);
      further(client);
      if (plan.workloads().any() || plan.postgres()) {
        judgeWorkloads(web);
      }
      judge(client, dataset);
    } catch (HarnessException | IOException failure) {
      findings.failure = String.valueOf(failure.getMessage());
      judgeAfterAll(client, dataset);
    } finally {
      tell(capture);
      if (client != null) {
        client.close();
      }
      web.forEach(WorkloadClients::close);
    }
    return new ReportBuilder(plan, findings, client == null ? List.of() : client.records()).build();
  }

  /** Before the client closes its connections: how they end is none of the upgrade's doing. */
  private void tell(@Nullable TapCapture capture) {
    if (capture == null) {
      return;
    }
    try (capture) {
      findings.wire = capture.stop();
    } catch (HarnessException failure) {
      narrator.say(String.valueOf(failure.getMessage()));
    }
  }

  private void judgeWorkloads(List<WorkloadClients> web) throws IOException {
    List<String> said = new ArrayList<>(Workloads.check(serving()));
    web.forEach(clients -> said.add(clients.finish()));
    findings.workloads = List.copyOf(said);
    findings.workloads.forEach(narrator::say);
  }

  /** The console of the kernel that serves in the end. */
  private Path serving() {
    if (!findings.ended("COMPLETE")) {
      return files.consoleA();
    }
    return findings.further.size() % 2 == 0 ? files.consoleB() : files.consoleC();
  }

  private void fill(Dataset dataset) throws HarnessException {
    long start = System.nanoTime();
    RedisFacts.fill(redis, dataset, SILENCE);
    findings.redisBefore = RedisFacts.runId(redis, SILENCE);
    narrator.say(
        plan.megabytes()
            + " MiB of data in Redis, put there in "
            + Svg.duration((System.nanoTime() - start) / 1e6));
  }

  private void calm(OutsideClient client) throws HarnessException {
    narrator.say(
        plan.connections()
            + " connections write and read"
            + (plan.visitors() == 0 ? "" : "; " + plan.visitors() + " clients come and go")
            + (plan.growth() == 0 ? "" : "; one adds " + plan.growth() + " MiB each second"));
    if (!client.awaitCalm(CALM)) {
      throw new HarnessException.Service(
          "Redis gave fewer than "
              + OutsideClient.CALM_ANSWERS
              + " answers a connection in "
              + CALM.toSeconds()
              + " s before anything was changed: the host may be too busy");
    }
  }

  private void upgrade(OutsideClient client) throws HarnessException, IOException {
    var run = new UpgradeRun(machine, rest, bridgePort, narrator);
    findings.askedAt = System.nanoTime();
    try {
      run.run(
          request(),
          () -> {
            showBoth(client);
            inject();
          });
      client.awaitCalm(CALM);
    } finally {
      findings.events = run.events();
      findings.state = run.state();
      if (!run.failure().isEmpty() && plan.fault() == null) {
        findings.failure = "the upgrade failed: " + run.failure();
      }
    }
    if (findings.ended("COMPLETE")) {
      findings.bAfter = KernelProbe.facts(files.consoleB());
    }
  }

  /** Goes on from B to the next kernel, and so on, with the same client. */
  private void further(OutsideClient client) throws HarnessException, IOException {
    KernelFacts serving = findings.bAfter;
    if (serving == null || plan.further().isEmpty()) {
      return;
    }
    var chain =
        new Chain(machine, rest, bridgePort, narrator, plan.fileServer(), plan.twinCpus().size());
    for (RunPlan.NextKernel next : plan.further()) {
      Chain.Link link = chain.next(serving, next, client);
      findings.further.add(link);
      if (link.after() == null) {
        throw new HarnessException.Control(
            "the upgrade from "
                + serving.release()
                + " to "
                + next.release()
                + " ended "
                + link.state()
                + ": "
                + link.failure());
      }
      serving = link.after();
    }
  }

  private Map<String, Object> request() {
    Map<String, Object> request = new HashMap<>();
    request.put("node", "demo");
    request.put("image", plan.twinImage());
    request.put("initrd", plan.twinInitrd());
    request.put("cpus", plan.twinCpus());
    request.put("buses", List.of(MachineSpec.TWIN_BUS));
    Fault fault = plan.fault();
    request.put(
        "faults",
        fault == null || fault.where() != Fault.Where.IN_THE_BROKERS
            ? List.of()
            : List.of(fault.label()));
    request.put("rehearse", plan.rehearse());
    request.put("until", "boot");
    return request;
  }

  private void inject() throws IOException {
    Fault fault = plan.fault();
    if (fault != null && fault.where() != Fault.Where.IN_THE_BROKERS) {
      narrator.say("fault " + fault + ": " + fault.command());
      KernelProbe.command(
          fault.where() == Fault.Where.ON_A ? files.consoleA() : files.consoleB(), fault.command());
    }
  }

  private void showBoth(OutsideClient client) throws IOException {
    findings.consoles.put("a", KernelProbe.release(files.consoleA()));
    findings.consoles.put("b", KernelProbe.release(files.consoleB()));
    findings.bothShownAt = System.nanoTime();
    var booting =
        new io.twinkernel.harness.report.LatencySeries(client.records(), findings.askedAt)
            .between("boot", findings.askedAt, findings.bothShownAt);
    narrator.say(
        "two kernels at work: ttyS0 says "
            + findings.consoles.get("a")
            + ", hvc0 says "
            + findings.consoles.get("b"));
    narrator.say(
        "clients meanwhile: "
            + booting.answers()
            + " answers, median "
            + Svg.duration(booting.p50Ms())
            + ", worst "
            + Svg.duration(booting.maxMs()));
  }

  /** After a failure: what the clients can still tell is told. */
  private void judgeAfterAll(@Nullable OutsideClient client, Dataset dataset) {
    if (client == null || findings.verdict != null || !machine.alive()) {
      return;
    }
    try {
      judge(client, dataset);
    } catch (HarnessException | IOException second) {
      narrator.say("and then: " + second.getMessage());
    }
  }

  private void judge(OutsideClient client, Dataset dataset) throws HarnessException, IOException {
    findings.verdict = client.finish();
    findings.valuesChecked = dataset.count();
    findings.redisAfter = RedisFacts.runId(redis, SILENCE);
    if (!findings.ended("COMPLETE")) {
      findings.aAfter = KernelProbe.facts(files.consoleA());
    }
    // The last: it ends the service.
    if (plan.disk()) {
      findings.disk = Workloads.checkDisk(serving());
      findings.disk.forEach(narrator::say);
    }
  }
}
