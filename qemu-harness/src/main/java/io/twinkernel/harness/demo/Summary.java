package io.twinkernel.harness.demo;

import io.twinkernel.harness.report.DemoReport;
import io.twinkernel.harness.report.DemoReport.KernelFacts;
import io.twinkernel.harness.report.DemoReport.Phase;
import io.twinkernel.harness.report.Svg;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The report in a screenful of text. */
final class Summary {

  private Summary() {}

  static String of(DemoReport report) {
    StringBuilder text = new StringBuilder();
    text.append(String.format(Locale.ROOT, "%nTimeline, %s%n", report.setting().accelerator()));
    for (Phase phase : report.phases()) {
      text.append(
          String.format(
              Locale.ROOT,
              "  %-9s %10.1f ms  %-8s %s%n",
              phase.name(),
              phase.ms(),
              phase.status(),
              phase.kernel()));
    }
    report
        .trace()
        .forEach(
            step ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "    %s %-24s %8.1f ms  from %8.1f ms%n",
                        step.side(),
                        step.name(),
                        step.ms(),
                        step.fromMs())));
    text.append(String.format(Locale.ROOT, "%nWho owns what%n"));
    owner(text, "before", "A", report.before().a(), report.before().parkedCpu());
    owner(text, "before", "B", report.before().b(), null);
    owner(text, "after", "A", report.after().a(), report.after().parkedCpu());
    owner(text, "after", "B", report.after().b(), null);
    text.append(String.format(Locale.ROOT, "%nPromises%n"));
    report
        .checks()
        .forEach(
            (name, check) ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "  %-6s %s: %s%n",
                        check.ok() ? "kept" : "BROKEN",
                        name,
                        check.reason())));
    DemoReport.Service service = report.service();
    text.append(
        String.format(
            Locale.ROOT,
            "%nLongest gap %s. %d connections open, %d reset. %d writes acknowledged, %d lost, %d applied twice.%n",
            Svg.duration(service.gapMs()),
            service.connectionsOpen(),
            service.connectionsReset(),
            service.writesAcknowledged(),
            service.writesLost(),
            service.writesDuplicated()));
    DemoReport.Rehearsal rehearsal = report.rehearsal();
    if (rehearsal != null) {
      text.append(
          String.format(
              Locale.ROOT,
              "The gap would be about %s: %s to the commit, %s after it; %s not counted.%n",
              Svg.duration(rehearsal.estimatedGapMs()),
              Svg.duration(rehearsal.toCommitMs()),
              Svg.duration(rehearsal.afterCommitMs()),
              String.join(" and ", rehearsal.notInEstimate())));
    }
    DemoReport.Wire wire = report.wire();
    if (wire != null) {
      text.append(
          String.format(
              Locale.ROOT,
              "On the wire: %d segments, %d retransmitted (%d in the switch; %d of all needlessly), %d resets, %d duplicate acknowledgments, no longer silence than %s.%n",
              wire.segments(),
              wire.retransmissions(),
              wire.retransmissionsInSwitch(),
              wire.needless(),
              wire.resets(),
              wire.duplicateAcks(),
              Svg.duration(wire.silenceMs())));
    }
    return text.toString();
  }

  private static void owner(
      StringBuilder text,
      String when,
      String side,
      @Nullable KernelFacts facts,
      @Nullable Integer parkedCpu) {
    if (facts == null) {
      text.append(
          String.format(
              Locale.ROOT,
              "  %-6s %s  nothing%s%n",
              when,
              side,
              parkedCpu == null ? "" : " but CPU " + parkedCpu + ", on which it is parked"));
    } else {
      text.append(
          String.format(
              Locale.ROOT,
              "  %-6s %s  %s: CPUs %s, %d MiB, %s, console %s%s%n",
              when,
              side,
              facts.release(),
              facts.cpus(),
              facts.ramBytes() >> 20,
              facts.nics(),
              facts.console(),
              facts.redisPid() == 0 ? "" : ", Redis pid " + facts.redisPid()));
    }
  }
}
