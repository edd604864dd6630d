package io.twinkernel.harness.measure;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.demo.DemoOptions;
import io.twinkernel.harness.demo.DemoRun;
import io.twinkernel.harness.report.MeasureReport;
import io.twinkernel.harness.report.MeasureReport.Run;
import io.twinkernel.harness.report.ReportFiles;
import io.twinkernel.harness.report.Svg;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code twin measure}: many upgrades, each in a machine of its own, and their statistics. */
@Command(
    name = "measure",
    description = {
      "Runs upgrades one after the other, each in a fresh machine, and tells how long the gap is:",
      "median, 90th percentile and worst, and which step explains the worst. Exit code 0: the",
      "gaps are as short as is promised, and every upgrade kept its own promises."
    },
    mixinStandardHelpOptions = true)
public final class MeasureCommand implements Callable<Integer> {

  private static final int MOST_RUNS = 1000;
  private static final ObjectMapper JSON = new ObjectMapper();

  @Option(
      names = "--upgrades",
      paramLabel = "COUNT",
      description = "how many (default: ${DEFAULT-VALUE})")
  private int upgrades = 20;

  @Option(
      names = "--baseline",
      arity = "0..1",
      fallbackValue = "3",
      paramLabel = "COUNT",
      description = "go the same way by kexec as well, so often (default without COUNT: 3)")
  private int baselines;

  @Option(
      names = "--link",
      description =
          "measure only the link between the two kernels, by doorbell and polling, and TCP beside it")
  private boolean link;

  @Mixin private Targets targets = new Targets();

  @Mixin private DemoOptions options = DemoOptions.into(Path.of("target", "measure"));

  private final List<Run> runs = new ArrayList<>();
  private final List<Double> kexec = new ArrayList<>();
  private String accelerator = "unknown";

  @Override
  public Integer call() throws HarnessException, IOException, InterruptedException {
    range("--upgrades", upgrades, 1);
    range("--baseline", baselines, 0);
    options.refuseToKeep();
    if (link) {
      return DemoRun.prepare(options).link(options.out());
    }
    Instant started = Instant.now();
    long startedAt = System.nanoTime();
    DemoRun run = DemoRun.prepare(options);
    System.out.println(
        upgrades + " upgrades of " + run.from() + " to " + run.to() + ", " + options.summary());
    // Spread over the upgrades, so that both see the same host.
    int every = baselines == 0 ? Integer.MAX_VALUE : Math.max(1, upgrades / baselines);
    for (int number = 1; number <= upgrades; number++) {
      upgrade(run, number);
      if (number % every == 0 && kexecTried < baselines) {
        kexec(run);
      }
    }
    while (kexecTried < baselines) {
      kexec(run);
    }
    MeasureReport report = report(run, started, (System.nanoTime() - startedAt) / 1e6);
    ReportFiles.write(report, options.out());
    System.out.println(MeasureSummary.of(report));
    System.out.println("Report: " + options.out().toAbsolutePath().resolve("measure.html"));
    return report.kept() ? 0 : 1;
  }

  private int kexecTried;

  private void upgrade(DemoRun run, int number) throws HarnessException, IOException {
    Path out = options.out().resolve(String.format(Locale.ROOT, "run-%02d", number));
    Path report = out.resolve("report.json");
    Files.deleteIfExists(report);
    int code = run.upgrade(out, log(out));
    if (!Files.exists(report)) {
      say("upgrade " + number + ": no report, exit code " + code + ", see " + log(out));
      return;
    }
    JsonNode json = JSON.readTree(report.toFile());
    accelerator = json.path("accelerator").asText(accelerator);
    Run found = RunReader.of(number, json);
    runs.add(found);
    say(
        String.format(
            Locale.ROOT,
            "upgrade %d: gap %s in %s, %s sent again in the switch%s",
            number,
            Svg.duration(found.gapMs()),
            found.gapIn(),
            found.wire() == null
                ? "not known what was"
                : found.wire().retransmissionsInSwitch() + " segments",
            found.kept() ? "" : "; BROKEN " + String.join("; ", found.broken())));
  }

  private void kexec(DemoRun run) throws HarnessException, IOException {
    kexecTried++;
    Path out = options.out().resolve(String.format(Locale.ROOT, "kexec-%02d", kexecTried));
    Path figures = out.resolve("kexec.json");
    Files.deleteIfExists(figures);
    int code = run.kexec(out, log(out));
    if (!Files.exists(figures)) {
      say("kexec " + kexecTried + ": no figure, exit code " + code + ", see " + log(out));
      return;
    }
    double gap = JSON.readTree(figures.toFile()).path("gap_ms").asDouble();
    kexec.add(gap);
    say("kexec " + kexecTried + ": gap " + Svg.duration(gap) + ", connections and data lost");
  }

  private static Path log(Path out) throws IOException {
    return Files.createDirectories(out).resolve("output.log");
  }

  private static void say(String line) {
    System.out.println("  " + line);
  }

  private MeasureReport report(DemoRun run, Instant started, double durationMs) {
    Statistics statistics = new Statistics(runs, upgrades, targets);
    Run worst = statistics.worst();
    return new MeasureReport(
        MeasureReport.VERSION,
        run.from(),
        run.to(),
        accelerator,
        started.truncatedTo(ChronoUnit.SECONDS).toString(),
        durationMs,
        options.megabytes(),
        options.connections(),
        options.faultLabel(),
        statistics.gap(),
        statistics.parts(),
        statistics.steps(),
        worst == null ? 0 : worst.number(),
        statistics.retransmissions(),
        statistics.baseline(kexec),
        List.copyOf(runs),
        statistics.checks(kexec, baselines));
  }

  private static void range(String option, int value, int least) throws HarnessException {
    if (value < least || value > MOST_RUNS) {
      throw new HarnessException.Refused(
          option + " " + value + " is not between " + least + " and " + MOST_RUNS,
          "Each run takes a minute or so.");
    }
  }
}
