package io.twinkernel.broker.agent;

import io.twinkernel.broker.image.KernelImage;
import io.twinkernel.broker.memory.MemoryBlocks;
import io.twinkernel.broker.memory.SystemRam;
import io.twinkernel.broker.net.NetworkRules;
import io.twinkernel.broker.plan.DiskChecks;
import io.twinkernel.broker.plan.DiskFacts;
import io.twinkernel.broker.plan.InterruptChecks;
import io.twinkernel.broker.plan.MemoryNeed;
import io.twinkernel.broker.plan.NetworkChecks;
import io.twinkernel.broker.plan.NodeFacts;
import io.twinkernel.broker.plan.NodeFactsReader;
import io.twinkernel.broker.plan.PlanFiles;
import io.twinkernel.broker.plan.PlanRequest;
import io.twinkernel.broker.plan.PortChecks;
import io.twinkernel.broker.plan.Preflight;
import io.twinkernel.broker.plan.Refusal;
import io.twinkernel.broker.policy.Container;
import io.twinkernel.broker.policy.DiskUsers;
import io.twinkernel.broker.policy.MovePlan;
import io.twinkernel.broker.policy.Policy;
import io.twinkernel.broker.policy.ProcReader;
import io.twinkernel.broker.policy.ProcessFacts;
import io.twinkernel.broker.policy.Rule;
import io.twinkernel.broker.process.ProcessTree;
import io.twinkernel.broker.process.ServiceProcess;
import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Checks a plan against the machine, and says what the upgrade would move. Changes nothing. */
final class Planner {
  private final NodeConf conf;
  private final TwinDevice device;

  Planner(NodeConf conf, TwinDevice device) {
    this.conf = conf;
    this.device = device;
  }

  /**
   * Finds out whether the upgrade can be.
   *
   * @throws BrokerException every reason why not
   */
  Stage.Planned check(UpgradePlan plan) throws BrokerException, IOException {
    TwinInfo info = device.info();
    NodeFacts node = new NodeFactsReader(Path.of("/")).read(Optional.of(info));
    PlanFiles files = PlanFiles.read(plan.image(), plan.initrd());
    MovePlan moves = moves(conf);
    ProcessTree service = new Service(moves.moves().cgroups()).processes();
    var request =
        new PlanRequest(
            plan.image(),
            plan.initrd(),
            plan.cpus(),
            plan.buses(),
            conf.serviceFunction(),
            plan.port(),
            conf.sharedBytes(),
            imageBytes(service) + moves.containers().stream().mapToLong(Container::bytes).sum());
    var blocks = new MemoryBlocks(Path.of("/"));
    long lent =
        files.refusals().isEmpty()
            ? MemoryNeed.of(files, request).lent(node.crashBytes(), blocks.size())
            : 0;
    if (lent > 0) {
      node =
          node.withLendable(
              SystemRam.total(blocks.spare(lent).stream().map(MemoryBlocks.Block::range).toList()));
    }
    var refusals = new ArrayList<>(Preflight.refusals(node, files, request));
    refusals.addAll(PortChecks.refusals(Path.of("/"), node, request));
    refusals.addAll(InterruptChecks.refusals(node, conf.interruptsPass()));
    refusals.addAll(NetworkChecks.refusals(NetworkRules.read(), conf.imageHasRules()));
    refusals.addAll(moves.refusals());
    Optional<String> disk = policy(conf).disk();
    if (disk.isPresent()) {
      refusals.addAll(DiskChecks.refusals(node, request, DiskFacts.read(Path.of("/"), disk.get())));
      if (conf.failover() == Failover.Policy.ADOPT) {
        refusals.add(
            new Refusal(
                "disk-with-failover",
                "the disk on " + disk.get(),
                "failover=adopt would start the service in B without it, should A panic",
                "set failover=stay in node.conf"));
      }
    }
    Optional<KernelImage> image = files.kernel();
    if (!refusals.isEmpty() || image.isEmpty()) {
      throw refused(refusals);
    }
    return new Stage.Planned(
        plan,
        image.get(),
        lent,
        detail(plan, node, info, image.get().release(), moves, service, lent));
  }

  private static long imageBytes(ProcessTree service) throws IOException {
    var reader = new ProcReader(Path.of("/proc"));
    long bytes = 0;
    for (ServiceProcess process : service.processes()) {
      bytes += reader.imageBytes(process.pid());
    }
    return bytes;
  }

  /** What the policy says of the processes that there are now. */
  static MovePlan moves(NodeConf conf) throws IOException {
    var reader = new ProcReader(Path.of("/proc"));
    int self = (int) ProcessHandle.current().pid();
    Policy policy = policy(conf);
    MovePlan plan = MovePlan.of(policy, reader, self, policy.disk().orElse(""));
    return policy.disk().isPresent()
        ? plan.with(DiskUsers.check(reader, plan.moves(), self, policy.disk().get()))
        : plan;
  }

  /** What the operator says; without a word, all in the service's cgroup moves. */
  static Policy policy(NodeConf conf) throws IOException {
    return Policy.read(conf.serviceCgroup());
  }

  static BrokerException refused(List<Refusal> refusals) {
    Refusal first = refusals.getFirst();
    var why = new StringBuilder(first.why());
    for (Refusal other : refusals.subList(1, refusals.size())) {
      why.append("; also ").append(other.what()).append(": ").append(other.why());
    }
    return BrokerException.refused(first.code(), first.what(), why.toString(), first.todo());
  }

  private Map<String, Object> detail(
      UpgradePlan plan,
      NodeFacts node,
      TwinInfo info,
      String to,
      MovePlan moves,
      ProcessTree service,
      long lent) {
    var stay = new ArrayList<>(node.online());
    stay.removeAll(plan.cpus());
    var processes = new ArrayList<Map<String, Object>>();
    for (ServiceProcess process : service.processes()) {
      processes.add(
          Map.of(
              "pid", process.pid(),
              "name", process.name(),
              "resident_bytes", process.residentBytes(),
              "threads", process.threads()));
    }
    var restarted = new ArrayList<Map<String, Object>>();
    for (Map.Entry<Rule, List<ProcessFacts>> one : moves.moves().restarted().entrySet()) {
      restarted.add(
          Map.of(
              "rule", one.getKey().toString(),
              "command", one.getKey().command(),
              "processes", one.getValue().stream().map(ProcessFacts::label).toList()));
    }
    return Map.of(
        "restarted",
        restarted,
        "staying",
        moves.moves().others().stream().map(ProcessFacts::label).toList(),
        "from",
        node.release(),
        "to",
        to,
        "cpus",
        Map.of("give", plan.cpus(), "stay", stay, "boot_apic_id", info.bootApicId()),
        "memory",
        Map.of(
            "crash_bytes",
            info.crash().map(TwinInfo.Range::size).orElse(0L),
            "shared_bytes",
            conf.sharedBytes(),
            "lent_bytes",
            lent,
            "stay_bytes",
            SystemRam.total(SystemRam.withoutCrashRegion(node.iomem()))),
        "buses",
        Map.of(
            "give",
            plan.buses(),
            "switch",
            plan.port().isPresent() ? List.of() : List.of(conf.serviceFunction()),
            "port",
            plan.port().orElse("")),
        "processes",
        processes);
  }
}
