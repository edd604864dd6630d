package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.capture.WireTrace;
import io.twinkernel.harness.client.ConnectionRecord;
import io.twinkernel.harness.client.Verdict;
import io.twinkernel.harness.qemu.Accelerator;
import io.twinkernel.harness.qemu.AcceleratorProbe;
import io.twinkernel.harness.report.DemoReport;
import io.twinkernel.harness.report.DemoReport.Connection;
import io.twinkernel.harness.report.DemoReport.Latency;
import io.twinkernel.harness.report.DemoReport.Ownership;
import io.twinkernel.harness.report.DemoReport.Phase;
import io.twinkernel.harness.report.DemoReport.Service;
import io.twinkernel.harness.report.DemoReport.Setting;
import io.twinkernel.harness.report.DemoReport.Wire;
import io.twinkernel.harness.report.LatencySeries;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Makes the report of what a run found. */
final class ReportBuilder {

  private static final int PLOT_POINTS = 480;

  /** In ns; longer than a timer for retransmissions that the gap has doubled once. */
  private static final long SWITCH_TIMERS = 1_000_000_000;

  private static final double NANOS = 1e6;

  private final RunPlan plan;
  private final Findings findings;
  private final List<ConnectionRecord> connections;
  private final LatencySeries series;
  private final Timeline timeline;

  ReportBuilder(RunPlan plan, Findings findings, List<ConnectionRecord> connections) {
    this.plan = plan;
    this.findings = findings;
    this.connections = connections;
    long origin = findings.askedAt == 0 ? findings.startedAt : findings.askedAt;
    this.series = new LatencySeries(connections, origin);
    this.timeline = new Timeline(findings.events, origin);
  }

  DemoReport build() {
    List<Latency> latency = latency();
    Latency booting =
        latency.stream().filter(part -> part.part().equals("boot")).findFirst().orElse(null);
    List<Phase> phases = timeline.phases();
    return new DemoReport(
        DemoReport.VERSION,
        outcome(),
        plan.fault() == null ? null : plan.fault().label(),
        findings.failure,
        plan.from(),
        plan.to(),
        findings.started.truncatedTo(ChronoUnit.SECONDS).toString(),
        (System.nanoTime() - findings.startedAt) / NANOS,
        setting(phases),
        service(),
        new Ownership(plan.from(), findings.aBefore, null, null),
        after(),
        findings.consoles,
        phases,
        timeline.trace(),
        latency,
        connections.stream().map(ReportBuilder::connection).toList(),
        findings.clockOffset().isPresent() ? findings.clockOffset().getAsLong() / 1e3 : null,
        wire(),
        findings.rehearsal(),
        new Promises(plan, findings).check(booting),
        findings.further.stream()
            .map(
                link ->
                    new DemoReport.Further(
                        link.from(), link.to(), link.state(), link.gapMs(), link.after()))
            .toList(),
        series.points(PLOT_POINTS));
  }

  private DemoReport.Outcome outcome() {
    return switch (findings.state) {
      case "COMPLETE" ->
          findings.failure == null ? DemoReport.Outcome.COMPLETED : DemoReport.Outcome.FAILED;
      case "ROLLED_BACK" -> DemoReport.Outcome.ROLLED_BACK;
      case "REHEARSED" -> DemoReport.Outcome.REHEARSED;
      case "REFUSED" -> DemoReport.Outcome.REFUSED;
      default -> DemoReport.Outcome.FAILED;
    };
  }

  private Ownership after() {
    boolean moved = findings.bAfter != null;
    return new Ownership(
        moved ? plan.to() : plan.from(), findings.aAfter, findings.bAfter, parkedCpu());
  }

  private @Nullable Integer parkedCpu() {
    return findings.events.stream()
        .map(event -> event.detail().path("parked_apic_id"))
        .filter(JsonNode::isInt)
        .map(JsonNode::asInt)
        .findFirst()
        .orElse(null);
  }

  private Setting setting(List<Phase> phases) {
    AcceleratorProbe.Found found = findings.accelerator;
    double bootB =
        phases.stream()
            .filter(phase -> phase.name().equals("boot") && phase.status().equals("done"))
            .mapToDouble(Phase::ms)
            .findFirst()
            .orElse(0);
    return new Setting(
        found == null ? Accelerator.TCG.label() : found.accelerator().label(),
        found == null ? "not probed" : found.why(),
        IntStream.range(0, plan.cpus()).boxed().toList(),
        (long) plan.memory() << 20,
        findings.kernelABootMs,
        bootB);
  }

  private Service service() {
    Verdict verdict =
        findings.verdict != null
            ? findings.verdict
            : new Verdict(connections, acknowledged(), 0, 0, 0, 0, 0, 0);
    return new Service(
        verdict.longestGapNanos() / NANOS,
        gapAt(),
        plan.pauseMillis(),
        verdict.open(),
        verdict.reset(),
        verdict.stuck(),
        verdict.acknowledged(),
        verdict.lost(),
        verdict.duplicated(),
        verdict.outOfOrder(),
        verdict.unexplained(),
        verdict.wrongReads(),
        findings.valuesChecked,
        verdict.wrongValues());
  }

  private long acknowledged() {
    return connections.stream().mapToLong(ConnectionRecord::acknowledged).sum();
  }

  private double gapAt() {
    return connections.stream()
        .max(Comparator.comparingLong(ConnectionRecord::longestGapNanos))
        .map(worst -> (worst.gapFrom() - findings.askedAt) / NANOS)
        .orElse(0.0);
  }

  private List<Latency> latency() {
    List<Latency> parts = new ArrayList<>();
    if (findings.askedAt == 0) {
      return parts;
    }
    long always = Long.MAX_VALUE;
    parts.add(series.between("before", findings.startedAt, findings.askedAt));
    long bootEnd = findings.bothShownAt != 0 ? findings.bothShownAt : always;
    OptionalLong boot = timeline.began("boot");
    if (boot.isPresent()) {
      parts.add(series.between("boot", boot.getAsLong(), bootEnd));
    }
    OptionalLong freeze = timeline.began("freeze");
    OptionalLong resumed = timeline.ended("resume");
    if (freeze.isPresent() && resumed.isPresent()) {
      parts.add(series.between("pre-copy", bootEnd, freeze.getAsLong()));
      parts.add(series.between("gap", freeze.getAsLong(), resumed.getAsLong()));
      parts.add(series.between("after", resumed.getAsLong(), always));
    }
    parts.add(series.between("all", findings.startedAt, always));
    return parts;
  }

  private @Nullable Wire wire() {
    WireTrace wire = findings.wire;
    if (wire == null) {
      return null;
    }
    OptionalLong freeze = timeline.began("freeze");
    return new Wire(
        wire.segments(),
        wire.missed(),
        wire.retransmissions().size(),
        freeze.isPresent() ? wire.retransmissionsSince(freeze.getAsLong()) : 0,
        freeze.isPresent()
            ? wire.retransmissionsBetween(
                freeze.getAsLong(),
                timeline.ended("resume").orElse(freeze.getAsLong()) + SWITCH_TIMERS)
            : 0,
        wire.needless(),
        wire.resets(),
        wire.duplicateAcks(),
        wire.probes(),
        wire.longestSilence() / NANOS,
        (wire.silentFrom() - findings.askedAt) / NANOS);
  }

  private static Connection connection(ConnectionRecord connection) {
    return new Connection(
        connection.number(),
        connection.ended().label(),
        connection.acknowledged(),
        connection.longestGapNanos() / NANOS);
  }
}
