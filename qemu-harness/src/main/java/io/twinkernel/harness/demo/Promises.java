package io.twinkernel.harness.demo;

import io.twinkernel.harness.client.Verdict;
import io.twinkernel.harness.qemu.Accelerator;
import io.twinkernel.harness.qemu.AcceleratorProbe;
import io.twinkernel.harness.qemu.MachineSpec;
import io.twinkernel.harness.report.DemoReport.Check;
import io.twinkernel.harness.report.DemoReport.KernelFacts;
import io.twinkernel.harness.report.DemoReport.Latency;
import io.twinkernel.harness.report.DemoReport.Rehearsal;
import io.twinkernel.harness.report.Svg;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Holds what a run found against what is promised. What is not known counts as broken. */
final class Promises {

  /** What of the machine's RAM may be missing: parking and tables, real-mode code, odd pages. */
  private static final long RAM_SLACK = 16L << 20;

  /** How far CLOCK_REALTIME of both kernels may be apart. */
  private static final long CLOCK_NANOS = 100_000;

  /**
   * Clients are undisturbed while B boots if 99 of 100 answers come within the first bound, and
   * none is missed for longer than the second. An emulator on a busy host stalls by itself for a
   * second now and then; two kernels that fight over a NIC or over interrupts lose most packets.
   */
  private record Calm(double p99Ms, double gapMs) {
    static Calm under(AcceleratorProbe.@Nullable Found found) {
      boolean emulated = found == null || found.accelerator() == Accelerator.TCG;
      return emulated ? new Calm(500, 3000) : new Calm(100, 1000);
    }

    boolean holds(Latency latency) {
      return latency.answers() > 0 && latency.p99Ms() <= p99Ms && latency.gapMs() <= gapMs;
    }
  }

  private final RunPlan plan;
  private final Findings findings;
  private final Map<String, Check> checks = new LinkedHashMap<>();

  Promises(RunPlan plan, Findings findings) {
    this.plan = plan;
    this.findings = findings;
  }

  Map<String, Check> check(@Nullable Latency whileBooting) {
    if (findings.failure != null) {
      add("nothing failed", false, findings.failure.lines().findFirst().orElse(""));
    }
    if (plan.rehearse()) {
      add("the upgrade was rehearsed", findings.ended("REHEARSED"), "it ended " + state());
      bothServed(whileBooting);
      estimated();
      ownedByAAgain();
    } else if (plan.fault() == null) {
      add("the upgrade is complete", findings.ended("COMPLETE"), "it ended " + state());
      bothServed(whileBooting);
      clock();
      ownedByB();
      further();
    } else if (plan.fault().mayComeLate() && findings.ended("COMPLETE")) {
      // Who knew the gap has ended. One who tells of it has not.
      add(
          "the upgrade is complete, though kernel B's broker ended after the commit",
          findings.clockOffset().isEmpty(),
          findings.clockOffset().isEmpty()
              ? "its successor finished the switch"
              : "it has not ended: there is no such step");
      ownedByB();
    } else {
      add("the upgrade was rolled back", findings.ended("ROLLED_BACK"), "it ended " + state());
      ownedByAAgain();
    }
    service();
    if (plan.workloads().any() || plan.postgres()) {
      workloads();
    }
    if (plan.disk()) {
      disk();
    }
    return checks;
  }

  private String state() {
    return findings.state.isEmpty() ? "without ever having begun" : findings.state;
  }

  private void estimated() {
    Rehearsal rehearsal = findings.rehearsal();
    add(
        "the gap is estimated",
        rehearsal != null
            && rehearsal.estimatedGapMs() > 0
            && rehearsal.estimatedGapMs() >= rehearsal.toCommitMs(),
        rehearsal == null
            ? "nothing was told"
            : Svg.duration(rehearsal.estimatedGapMs())
                + ", without "
                + String.join(" and ", rehearsal.notInEstimate())
                + "; the processes stood still for "
                + Svg.duration(rehearsal.stoppedMs()));
  }

  private void bothServed(@Nullable Latency booting) {
    String a = findings.consoles.getOrDefault("a", "nothing");
    String b = findings.consoles.getOrDefault("b", "nothing");
    add(
        "both kernels ran before the switch",
        a.equals(plan.from()) && b.equals(plan.to()),
        "A's console said " + a + ", B's " + b);
    add(
        "clients undisturbed while B boots",
        booting != null && Calm.under(findings.accelerator).holds(booting),
        booting == null
            ? "B did not boot"
            : booting.answers()
                + " answers, 99 % within "
                + Svg.duration(booting.p99Ms())
                + ", the longest gap "
                + Svg.duration(booting.gapMs()));
  }

  private void clock() {
    OptionalLong clock = findings.clockOffset();
    add(
        "B's clock is A's, within 100 µs",
        clock.isPresent() && Math.abs(clock.getAsLong()) <= CLOCK_NANOS,
        clock.isPresent()
            ? String.format(Locale.ROOT, "%+.1f µs", clock.getAsLong() / 1e3)
            : "B did not tell");
  }

  private void ownedByB() {
    KernelFacts a = findings.aBefore;
    KernelFacts b = findings.bAfter;
    if (a == null || b == null) {
      add("B owns the machine", false, "B was not there to be asked");
      return;
    }
    add("B is the kernel that was asked for", b.release().equals(plan.to()), b.release());
    add("B owns all CPUs", b.cpus().size() == plan.cpus(), "B's CPUs: " + b.cpus());
    add(
        "B owns all of A's memory",
        b.ramBytes() >= a.ramBytes() - RAM_SLACK,
        (b.ramBytes() >> 20) + " MiB of the machine's " + (a.ramBytes() >> 20));
    add("B owns the NIC", hasServiceNic(b), "B's NICs: " + b.nics());
    sameRedis(a, b);
  }

  /** Each further upgrade starts from what the one before left, and leaves no less. */
  private void further() {
    add(
        "every upgrade of the chain was run",
        findings.further.size() == plan.further().size(),
        1 + findings.further.size() + " of " + (1 + plan.further().size()));
    int number = 1;
    for (Chain.Link link : findings.further) {
      number++;
      KernelFacts after = link.after();
      KernelFacts first = findings.aBefore;
      boolean kept =
          after != null
              && first != null
              && link.bothRan().equals(List.of(link.from(), link.to()))
              && after.release().equals(link.to())
              && after.cpus().size() == plan.cpus()
              && after.ramBytes() >= first.ramBytes() - RAM_SLACK
              && hasServiceNic(after)
              && after.redisPid() == first.redisPid();
      add(
          "upgrade " + number + " leaves a whole machine",
          kept,
          link.from()
              + " to "
              + link.to()
              + ": "
              + link.state()
              + ", "
              + Svg.duration(link.gapMs())
              + (after == null
                  ? ""
                  : ", CPUs "
                      + after.cpus()
                      + ", "
                      + (after.ramBytes() >> 20)
                      + " MiB, NICs "
                      + after.nics()
                      + ", Redis pid "
                      + after.redisPid())
              + "; both consoles said "
              + link.bothRan());
    }
  }

  private void ownedByAAgain() {
    KernelFacts before = findings.aBefore;
    KernelFacts after = findings.aAfter;
    if (before == null || after == null) {
      add("A owns the machine again", false, "A was not there to be asked");
      return;
    }
    add("A serves on", after.release().equals(plan.from()), after.release());
    add("A has its CPUs back", after.cpus().equals(before.cpus()), "A's CPUs: " + after.cpus());
    add(
        "A has its NIC back",
        hasServiceNic(after) && after.nics().equals(before.nics()),
        "A's NICs: " + after.nics());
    sameRedis(before, after);
  }

  private void sameRedis(KernelFacts before, KernelFacts after) {
    add(
        "the same Redis process",
        before.redisPid() > 0
            && before.redisPid() == after.redisPid()
            && !findings.redisBefore.isEmpty()
            && findings.redisBefore.equals(findings.redisAfter),
        "pid "
            + after.redisPid()
            + ", before "
            + before.redisPid()
            + "; run id "
            + findings.redisAfter
            + ", before "
            + findings.redisBefore);
  }

  private static boolean hasServiceNic(KernelFacts facts) {
    return facts.nics().stream().anyMatch(nic -> nic.endsWith("=" + MachineSpec.SERVICE_NIC));
  }

  private void service() {
    Verdict verdict = findings.verdict;
    if (verdict == null) {
      add("clients keep their connections", false, "the client could not be judged");
      return;
    }
    int all = verdict.connections().size();
    add(
        "clients keep their connections",
        all > 0 && verdict.open() == all,
        verdict.open()
            + " of "
            + all
            + " open, "
            + verdict.reset()
            + " reset, "
            + verdict.stuck()
            + " stuck");
    add(
        "no acknowledged write is lost",
        verdict.acknowledged() > 0 && verdict.lost() == 0,
        verdict.lost() + " of " + verdict.acknowledged());
    add("no write is applied twice", verdict.duplicated() == 0, verdict.duplicated() + " twice");
    add(
        "writes are in order, and only those sent",
        verdict.outOfOrder() == 0 && verdict.unexplained() == 0,
        verdict.outOfOrder() + " out of order, " + verdict.unexplained() + " never sent");
    add(
        "every answer and every value is right",
        verdict.wrongReads() == 0 && verdict.wrongValues() == 0,
        verdict.wrongReads()
            + " wrong answers; "
            + verdict.wrongValues()
            + " of "
            + findings.valuesChecked
            + " values wrong");
  }

  private void workloads() {
    List<String> bad = findings.workloads.stream().filter(line -> !line.startsWith("ok ")).toList();
    Set<String> silent = new TreeSet<>(Workloads.names(findings.workloadsBefore));
    silent.removeAll(Workloads.names(findings.workloads));
    String reason = findings.workloads.size() + " checks";
    if (!bad.isEmpty()) {
      reason = String.join("; ", bad);
    } else if (!silent.isEmpty()) {
      reason = "nothing was said any more of " + String.join(", ", silent);
    }
    add(
        "every workload's data is right",
        !findings.workloads.isEmpty() && bad.isEmpty() && silent.isEmpty(),
        reason);
  }

  private void disk() {
    List<String> bad = findings.disk.stream().filter(line -> !line.startsWith("ok ")).toList();
    add(
        "what was acknowledged is on the disk, which is whole",
        !findings.disk.isEmpty() && bad.isEmpty(),
        String.join("; ", bad.isEmpty() ? findings.disk : bad));
  }

  private void add(String name, boolean ok, String reason) {
    checks.put(name, new Check(ok, reason));
  }
}
