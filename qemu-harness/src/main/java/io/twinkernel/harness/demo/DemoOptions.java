package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.client.Dataset;
import io.twinkernel.harness.net.Namespace;
import io.twinkernel.harness.qemu.MachineSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of a demonstration. */
public final class DemoOptions {

  private static final int MOST_CPUS = 16;
  private static final int MOST_CONNECTIONS = 256;
  private static final int MOST_UPGRADES = 100;
  private static final int MOST_GROWTH = 4;

  @Option(
      names = "--from",
      paramLabel = "KERNEL",
      description =
          "kernel A: a series such as 6.1, a release, or BZIMAGE:MODULES (default:"
              + " ${DEFAULT-VALUE})")
  String from = "6.1";

  @Option(
      names = "--to",
      paramLabel = "KERNEL",
      description = "kernel B, likewise (default: ${DEFAULT-VALUE})")
  String to = "6.12";

  @Option(names = "--cpus", description = "CPUs of the machine (default: ${DEFAULT-VALUE})")
  int cpus = 4;

  @Option(
      names = "--twin-cpus",
      paramLabel = "N",
      description = "CPUs that kernel B has before the switch (default: 2, if A keeps as many)")
  @Nullable Integer twinCpus;

  @Option(
      names = "--memory",
      paramLabel = "MIB",
      description = "RAM of the machine (default: 3072, more with more data)")
  @Nullable Integer memory;

  @Option(
      names = "--megabytes",
      paramLabel = "MIB",
      description = "data in Redis (default: ${DEFAULT-VALUE})")
  int megabytes = 64;

  @Option(
      names = "--rewrite",
      paramLabel = "PERCENT",
      description =
          "of the data that one connection more writes anew each second (default: ${DEFAULT-VALUE})")
  double rewrite;

  @Option(
      names = "--connections",
      description = "connections of the outside client (default: ${DEFAULT-VALUE})")
  int connections = 8;

  @Option(
      names = "--visitors",
      paramLabel = "N",
      description =
          "clients that connect anew for each request and leave, besides (default: ${DEFAULT-VALUE})")
  int visitors;

  @Option(
      names = "--growth",
      paramLabel = "MIB",
      description = "data that one connection more adds each second (default: ${DEFAULT-VALUE})")
  double growth;

  @Option(
      names = "--pause",
      paramLabel = "MS",
      description = "between two requests on a connection (default: ${DEFAULT-VALUE})")
  int pause = 20;

  @Option(
      names = "--practice",
      paramLabel = "N",
      description =
          "how often at least both kernels practise the gap; less is sooner done and makes it longer"
              + " (default: ${DEFAULT-VALUE})")
  int practice = 20;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "where report.html, report.json and the logs go (default: ${DEFAULT-VALUE})")
  Path out = Path.of("target", "demo");

  @Option(
      names = "--chain",
      paramLabel = "N",
      description =
          "so many upgrades in one machine life, there and back again (default: ${DEFAULT-VALUE})")
  int chain = 1;

  @Option(
      names = "--workloads",
      hidden = true,
      arity = "0..1",
      fallbackValue = "ALL",
      paramLabel = "SET",
      description =
          "move nginx, a JVM, a second Redis with its replica and more beside Redis; what the tests"
              + " use. WAITING: those of which copies can wait in kernel B")
  WorkloadSet workloads = WorkloadSet.NONE;

  @Option(
      names = "--disk",
      description =
          "Redis writes what it is told to a disk, which moves with it; in the end that is read back")
  boolean disk;

  @Option(
      names = "--postgres",
      hidden = true,
      description = "with --disk: PostgreSQL under pgbench moves beside Redis; what the tests use")
  boolean postgres;

  @Option(
      names = "--one-nic",
      description =
          "kernel B has no NIC of its own in the service's network: the service's NIC itself goes over")
  boolean oneNic;

  @Option(names = "--keep", description = "leave the machine up afterwards")
  boolean keep;

  @Option(
      names = "--rehearse",
      description = "everything but the commit; then it is undone, and the gap estimated")
  boolean rehearse;

  @Option(
      names = "--fault",
      paramLabel = "FAULT",
      description = "what goes wrong on purpose: ${COMPLETION-CANDIDATES}",
      converter = FaultConverter.class,
      completionCandidates = FaultConverter.class)
  @Nullable Fault fault;

  @Option(
      names = "--rest-port",
      paramLabel = "PORT",
      description =
          "of REST on this host's loopback; if it is taken, another (default: ${DEFAULT-VALUE})")
  int restPort = 7440;

  @Option(
      names = "--bridge-port",
      paramLabel = "PORT",
      description = "likewise, of the event bus bridge (default: ${DEFAULT-VALUE})")
  int bridgePort = 7442;

  /** With another folder for reports than a demonstration's. */
  public static DemoOptions into(Path out) {
    DemoOptions options = new DemoOptions();
    options.out = out;
    return options;
  }

  /** Where reports go. */
  public Path out() {
    return out;
  }

  /** Data in Redis, MiB. */
  public int megabytes() {
    return megabytes;
  }

  /** Connections of the outside client. */
  public int connections() {
    return connections;
  }

  /** The fault to inject, or null. */
  public @Nullable String faultLabel() {
    return fault == null ? null : fault.label();
  }

  /** The load in a few words. */
  public String summary() {
    return megabytes
        + " MiB, "
        + connections
        + " connections, a request every "
        + pause
        + " ms"
        + (visitors > 0 ? ", " + visitors + " clients that come and go" : "")
        + (growth > 0 ? ", " + growth + " MiB more each second" : "")
        + (rewrite > 0 ? ", " + rewrite + " % rewritten per second" : "");
  }

  /** Refuses --keep, for runs that come one after the other. */
  public void refuseToKeep() throws HarnessException {
    if (keep) {
      throw new HarnessException.Refused(
          "--keep leaves a machine up, and the next run would wait for it",
          "Look at one machine by ./twin demo --keep.");
    }
  }

  /** Refuses what cannot work before anything is done. */
  void check() throws HarnessException {
    range(
        "--cpus",
        cpus,
        2,
        MOST_CPUS,
        "kernel B starts on one CPU while A keeps the machine's first");
    range(
        "--twin-cpus",
        twinCpuCount(),
        1,
        mostTwinCpus(),
        cpus == 2
            ? "kernel A keeps the machine's first CPU"
            : "of " + cpus + " CPUs kernel A keeps two until the switch, its boot CPU for good");
    range(
        "--memory",
        memory(),
        Sizing.LEAST_MEMORY,
        1 << 20,
        "kernel A needs room beside " + Sizing.crash(megabytes) + " MiB for kernel B");
    range(
        "--megabytes",
        megabytes,
        1,
        Sizing.mostData(),
        "more than Redis is filled with in a quarter of an hour under emulation");
    if (rewrite < 0 || rewrite > 100) {
      throw new HarnessException.Refused(
          "--rewrite " + rewrite + " is no share of the data", "Give it a number from 0 to 100.");
    }
    range("--connections", connections, 1, MOST_CONNECTIONS, "each has a thread of its own");
    if (growth < 0 || growth > MOST_GROWTH) {
      throw new HarnessException.Refused(
          "--growth " + growth + " is more than an emulated NIC brings, or less than nothing",
          "Give it a number from 0 to " + MOST_GROWTH + ".");
    }
    range("--visitors", visitors, 0, MOST_CONNECTIONS, "each has a thread of its own");
    range("--chain", chain, 1, MOST_UPGRADES, "each takes a minute or more");
    if (chain > 1 && fault != null) {
      throw new HarnessException.Refused(
          "--fault and --chain exclude each other: a fault ends the first upgrade",
          "Leave one of them out.");
    }
    if (postgres && !disk) {
      throw new HarnessException.Refused(
          "--postgres keeps its data on the disk of --disk", "Give --disk as well.");
    }
    if (disk && workloads.any()) {
      throw new HarnessException.Refused(
          "--disk and --workloads exclude each other: an image has one policy",
          "Leave one of them out.");
    }
    if (rehearse && (chain > 1 || fault != null)) {
      throw new HarnessException.Refused(
          "--rehearse ends the upgrade before its commit: it goes with neither --chain nor --fault",
          "Leave one of them out.");
    }
    range("--pause", pause, 1, 1000, "in milliseconds");
    range("--practice", practice, 1, 1000, "it is done before each switch");
    range("--rest-port", restPort, 0, 65535, "0 takes any free one");
    range("--bridge-port", bridgePort, 0, 65535, "0 takes any free one");
    if (Files.exists(out) && !Files.isDirectory(out)) {
      throw new HarnessException.Refused("--out " + out + " is not a folder", "Name a folder.");
    }
    for (Path path = out.toAbsolutePath(); path != null; path = path.getParent()) {
      if (Files.exists(path)) {
        if (!Files.isWritable(path)) {
          throw new HarnessException.Refused(
              "--out " + out + " cannot be written", "Name a folder that can.");
        }
        break;
      }
    }
  }

  private static void range(String option, int value, int least, int most, String why)
      throws HarnessException {
    if (value < least || value > most) {
      throw new HarnessException.Refused(
          option + " " + value + " is not between " + least + " and " + most + ": " + why,
          "Give " + option + " a number from " + least + " to " + most + ".");
    }
  }

  /** RAM of the machine, MiB. */
  int memory() {
    return memory == null ? Sizing.memory(megabytes) : memory;
  }

  /** Values of the dataset that are written anew each second. */
  int rewrites() {
    return rewrite == 0
        ? 0
        : (int) Math.max(1, Dataset.ofMegabytes(0, megabytes).count() * rewrite / 100);
  }

  /** CPUs of A that B starts on, by A's numbers: the last ones, and the very last first. */
  List<Integer> twinCpus() {
    return IntStream.range(0, twinCpuCount()).mapToObj(back -> cpus - 1 - back).toList();
  }

  private int twinCpuCount() {
    return twinCpus == null ? Math.min(2, mostTwinCpus()) : twinCpus;
  }

  private int mostTwinCpus() {
    return Math.max(1, cpus - 2);
  }

  /** What node.conf says to the brokers of this run. */
  Map<String, String> nodeConfig(String token) {
    return Map.ofEntries(
        Map.entry("node", "demo"),
        Map.entry("control.host", Namespace.HOST),
        Map.entry("control.port", Integer.toString(ControlServer.BROKER_PORT)),
        Map.entry("control.token", token),
        Map.entry("service.interface.pci", MachineSpec.SERVICE_NIC),
        Map.entry("service.ports", oneNic ? "" : MachineSpec.SERVICE_PORTS),
        Map.entry("service.address", Namespace.GUEST + "/24"),
        Map.entry("service.disk", disk ? MachineSpec.DISK : ""),
        Map.entry("service.cgroup", "/sys/fs/cgroup/service"),
        Map.entry("b.buses", MachineSpec.TWIN_BUS),
        Map.entry("b.earlycon", "uart8250,io,0x2f8,115200n8"),
        Map.entry(
            "b.cpus", twinCpus().stream().map(String::valueOf).collect(Collectors.joining(","))),
        Map.entry("switch.practice", Integer.toString(practice)),
        Map.entry("service.practice", "/etc/twin/practice"),
        Map.entry("shared.bytes", Long.toString((long) Sizing.SHARED << 20)));
  }
}
