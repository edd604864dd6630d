package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.console.ConsoleLog;
import io.twinkernel.harness.control.RestClient;
import io.twinkernel.harness.net.Namespace;
import io.twinkernel.harness.net.Relay;
import io.twinkernel.harness.net.RunDirectory;
import io.twinkernel.harness.qemu.Accelerator;
import io.twinkernel.harness.qemu.AcceleratorProbe;
import io.twinkernel.harness.qemu.Machine;
import io.twinkernel.harness.qemu.MachineFiles;
import io.twinkernel.harness.qemu.MachineSpec;
import io.twinkernel.harness.report.DemoReport;
import io.twinkernel.harness.report.ReportFiles;
import io.twinkernel.harness.report.Svg;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The part of a run that is inside its network namespace. Started by {@link Supervisor} only. */
@Command(name = "inside", hidden = true)
public final class InsideCommand implements Callable<Integer> {

  /** Sockets and port files of the run's directory, see {@link Supervisor#expose}. */
  static final String REST = "rest";

  static final String BRIDGE = "bridge";

  /** Option: what is done. */
  static final String MODE = "--mode";

  /**
   * Journals are one run's: an upgrade that an earlier one left unfinished is none of its business.
   */
  private static final String JOURNAL = "journal";

  private static final int TAIL = 25;

  /** Sparse: it takes what is written to it. */
  private static final long DISK_BYTES = 2L << 30;

  @Parameters(paramLabel = "RUN_DIRECTORY")
  private Path directory = Path.of(".");

  @Option(names = MODE)
  private RunMode mode = RunMode.UPGRADE;

  @Override
  public Integer call() throws HarnessException, IOException, InterruptedException {
    RunPlan plan = RunPlan.read(directory);
    Narrator narrator = new Narrator(System.out);
    Findings findings = new Findings();
    Path out = Path.of(plan.out());
    ControlLog.to(out.resolve("control-plane.log"));
    MachineFiles files = new MachineFiles(directory);
    AcceleratorProbe.Found found =
        new AcceleratorProbe(directory, plan.emulator())
            .find(Path.of(plan.kernel()), plan.from(), RunDirectory.root().resolve("accelerator"));
    findings.accelerator = found;
    narrator.say(
        "QEMU "
            + plan.emulator().version()
            + ", accelerator "
            + found.accelerator().label()
            + ": "
            + found.why());
    try (ControlServer control = ControlServer.start(directory.resolve(JOURNAL), plan.token());
        FileServer _ = FileServer.start(directory.resolve("kernels"), plan.further());
        Relay _ = Relay.inside(directory.resolve(REST + ".sock"), control.restPort());
        Relay _ = Relay.inside(directory.resolve(BRIDGE + ".sock"), control.bridgePort());
        RestClient client = new RestClient(control.restPort());
        Machine machine = Machine.start(spec(plan, mode, found.accelerator(), files), files)) {
      Thread hook = new Thread(() -> cleanUp(narrator, machine));
      Runtime.getRuntime().addShutdownHook(hook);
      try {
        Readiness.await(machine, client);
        return switch (mode) {
          case UPGRADE -> run(plan, machine, client, control.bridgePort(), narrator, findings);
          case KEXEC -> new KexecBaseline(plan, machine, narrator).run();
          case LINK ->
              new LinkRun(plan, machine, client, control.bridgePort(), narrator, found).run();
        };
      } finally {
        keepLogs(files, out);
        removeHook(hook);
      }
    }
  }

  private static int run(
      RunPlan plan,
      Machine machine,
      RestClient client,
      int bridgePort,
      Narrator narrator,
      Findings findings)
      throws HarnessException, IOException, InterruptedException {
    Path out = Path.of(plan.out());
    // QEMU has read it; it is as large as the whole userland.
    Files.deleteIfExists(Path.of(plan.initrd()));
    findings.kernelABootMs = (System.nanoTime() - machine.startedAt()) / 1e6;
    narrator.say(
        "kernel A serves, " + Svg.duration(findings.kernelABootMs) + " after QEMU's start");
    DemoReport report = new Scenario(plan, machine, client, bridgePort, narrator, findings).run();
    narrator.plain(Summary.of(report));
    if (!report.kept()) {
      tails(narrator, machine.files());
    }
    keepLogs(machine.files(), out);
    ReportFiles.write(report, out);
    narrator.plain("Report: " + out.resolve("report.html"));
    if (plan.keep()) {
      Keep.until(machine, narrator);
    }
    return report.kept() ? 0 : 1;
  }

  private static MachineSpec spec(
      RunPlan plan, RunMode mode, Accelerator accelerator, MachineFiles files) throws IOException {
    Optional<Path> disk = plan.disk() ? Optional.of(files.disk()) : Optional.empty();
    if (disk.isPresent()) {
      try (var image = new RandomAccessFile(disk.get().toFile(), "rw")) {
        image.setLength(DISK_BYTES);
      }
    }
    return new MachineSpec(
        plan.emulator(),
        Path.of(plan.kernel()),
        Path.of(plan.initrd()),
        "console=ttyS0 quiet panic=-1 crashkernel=" + Sizing.crash(plan) + "M twin.role=primary",
        plan.cpus(),
        plan.memory(),
        accelerator,
        Namespace.SERVICE_TAP,
        mode == RunMode.LINK ? List.of() : Namespace.OTHER_TAPS,
        disk,
        mode == RunMode.LINK);
  }

  private static void tails(Narrator narrator, MachineFiles files) {
    narrator.plain("Last lines of A's console:\n" + ConsoleLog.tail(files.logA(), TAIL));
    narrator.plain("\nLast lines of B's boot log:\n" + ConsoleLog.tail(files.logEarlyB(), TAIL));
    narrator.plain("\nLast lines of B's console:\n" + ConsoleLog.tail(files.logB(), TAIL) + "\n");
    narrator.plain("\nLast lines of C's console:\n" + ConsoleLog.tail(files.logC(), TAIL) + "\n");
  }

  /** The run's directory goes with the run: what tells of it afterwards is copied out. */
  private static void keepLogs(MachineFiles files, Path out) throws IOException {
    Files.createDirectories(out);
    for (Path log :
        List.of(
            files.logA(),
            files.logB(),
            files.logC(),
            files.logEarlyB(),
            files.logQemu(),
            files.wire())) {
      if (Files.exists(log)) {
        Files.copy(log, out.resolve(log.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Path events = out.resolve("events.jsonl");
    Files.deleteIfExists(events);
    try (Stream<Path> journals = Files.walk(files.directory().resolve(JOURNAL))) {
      for (Path one : journals.filter(path -> path.toString().endsWith(".jsonl")).toList()) {
        Files.copy(one, events, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  /** At a signal: the machine first, then what names it, should the supervisor be gone. */
  private void cleanUp(Narrator narrator, Machine machine) {
    narrator.silence();
    machine.close();
    RunDirectory run = new RunDirectory(directory);
    try {
      if (!run.owner().alive()) {
        run.namespace().delete();
        run.delete();
      }
    } catch (HarnessException | IOException leftToTheNextRun) {
      System.err.println(leftToTheNextRun.getMessage());
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // It runs now.
    }
  }
}
