package io.twinkernel.harness.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.harness.client.ConnectionRecord;
import io.twinkernel.harness.client.Ended;
import io.twinkernel.harness.client.Verdict;
import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.qemu.Accelerator;
import io.twinkernel.harness.qemu.AcceleratorProbe;
import io.twinkernel.harness.report.DemoReport.Check;
import io.twinkernel.harness.report.DemoReport.KernelFacts;
import io.twinkernel.harness.report.DemoReport.Latency;
import io.twinkernel.rootfs.Emulator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Each promise is broken by what breaks it, and by nothing else. */
final class PromisesTest {

  private static final long GIB = 1L << 30;
  private static final Latency CALM = new Latency("boot", 5000, 2, 40, 110, 134);

  private static RunPlan plan(@Nullable Fault fault) {
    return plan(fault, false);
  }

  private static RunPlan plan(@Nullable Fault fault, boolean workloads) {
    return plan(fault, false, workloads);
  }

  private static RunPlan plan(@Nullable Fault fault, boolean rehearse, boolean workloads) {
    return new RunPlan(
        new Emulator(List.of("/qemu"), "1.0", "key"),
        "/kernel",
        "/initrd",
        Events.A,
        Events.B,
        "/boot/b",
        "/boot/i",
        List.of(),
        "10.99.0.1:1",
        "token",
        4,
        List.of(3, 2),
        3072,
        64,
        0,
        1,
        0,
        0,
        20,
        fault,
        rehearse,
        workloads ? WorkloadSet.ALL : WorkloadSet.NONE,
        false,
        false,
        false,
        "/out");
  }

  private static KernelFacts a() {
    return new KernelFacts(
        Events.A,
        "ttyS0",
        List.of(0, 1, 2, 3),
        2 * GIB,
        3 * GIB,
        List.of("eth0=0000:81:00.0"),
        5001);
  }

  private static KernelFacts b() {
    return new KernelFacts(
        Events.B,
        "hvc0",
        List.of(0, 1, 2, 3),
        2 * GIB,
        3 * GIB - (8L << 20),
        List.of("eth0=0000:81:00.0"),
        5001);
  }

  private static Verdict verdict(Ended ended, long lost, long duplicated) {
    ConnectionRecord record = new ConnectionRecord(0, ended, List.of(), 900, 0, 0, 1, 1);
    return new Verdict(List.of(record), 900, lost, duplicated, 0, 0, 0, 0);
  }

  /** A run in which all went well. */
  private static Findings good() {
    Findings findings = new Findings();
    findings.state = "COMPLETE";
    findings.consoles.putAll(Map.of("a", Events.A, "b", Events.B));
    findings.aBefore = a();
    findings.bAfter = b();
    findings.events = clock("-99999");
    findings.redisBefore = "run";
    findings.redisAfter = "run";
    findings.verdict = verdict(new Ended.Open(), 0, 0);
    return findings;
  }

  private static List<UpgradeEvent> clock(String nanos) {
    String detail = "{\"clock_offset_ns\": " + nanos + "}";
    return new Events().late(0, 0, Events.B, "resume", "done", detail, 1).list();
  }

  private static List<String> broken(Findings findings) {
    return broken(plan(null), findings, CALM);
  }

  private static List<String> broken(RunPlan plan, Findings findings, @Nullable Latency booting) {
    return new Promises(plan, findings)
        .check(booting).entrySet().stream()
            .filter(check -> !check.getValue().ok())
            .map(Map.Entry::getKey)
            .collect(Collectors.toList());
  }

  @Test
  void allAreKeptWhenAllWentWell() {
    assertThat(broken(good())).isEmpty();
    assertThat(new Promises(plan(null), good()).check(CALM).values())
        .extracting(Check::reason)
        .allMatch(reason -> !reason.isBlank());
  }

  /** Only then can it be told from one that never was. */
  @Test
  void aBrokerOfBThatEndsLateHasASuccessorWhoCompletesTheUpgrade() {
    RunPlan plan = plan(Fault.of("b-dies@connect").orElseThrow());
    Findings findings = good();
    findings.events = List.of();
    assertThat(broken(plan, findings, CALM)).isEmpty();
    findings.events = clock("7");
    assertThat(broken(plan, findings, CALM))
        .containsExactly(
            "the upgrade is complete, though kernel B's broker ended after the commit");
    RunPlan early = plan(Fault.of("b-fails@connect").orElseThrow());
    findings.events = List.of();
    assertThat(broken(early, findings, CALM)).contains("the upgrade was rolled back");
  }

  @Test
  void everyWorkloadThatSpokeBeforeIsWellAfterwards() {
    RunPlan plan = plan(null, true);
    Findings findings = good();
    findings.workloadsBefore = List.of("ok pipe", "ok jvm-threads 90 rounds");
    for (List<String> said :
        List.of(
            List.<String>of(),
            List.of("ok pipe"),
            List.of("ok pipe", "bad jvm-threads 91 rounds, 1 faults"))) {
      findings.workloads = said;
      assertThat(broken(plan, findings, CALM)).containsExactly("every workload's data is right");
    }
    findings.workloads = List.of("ok pipe", "ok jvm-threads 91 rounds", "ok nginx-keep-alive");
    assertThat(broken(plan, findings, CALM)).isEmpty();
  }

  @Test
  void eachIsBrokenByItsOwn() {
    Findings lost = good();
    lost.verdict = verdict(new Ended.Open(), 1, 0);
    assertThat(broken(lost)).containsExactly("no acknowledged write is lost");

    Findings twice = good();
    twice.verdict = verdict(new Ended.Open(), 0, 1);
    assertThat(broken(twice)).containsExactly("no write is applied twice");

    Findings reset = good();
    reset.verdict = verdict(new Ended.Reset("Connection reset"), 0, 0);
    assertThat(broken(reset)).containsExactly("clients keep their connections");

    Findings restarted = good();
    restarted.redisAfter = "another";
    assertThat(broken(restarted)).containsExactly("the same Redis process");

    Findings oneConsole = good();
    oneConsole.consoles.put("b", Events.A);
    assertThat(broken(oneConsole)).containsExactly("both kernels ran before the switch");

    for (List<UpgradeEvent> told : List.of(clock("100001"), clock("-100001"), clock("null"))) {
      Findings otherTime = good();
      otherTime.events = told;
      assertThat(broken(otherTime)).containsExactly("B's clock is A's, within 100 µs");
    }

    Findings rolledBack = good();
    rolledBack.state = "ROLLED_BACK";
    assertThat(broken(rolledBack)).containsExactly("the upgrade is complete");

    assertThat(broken(plan(null), good(), new Latency("boot", 50, 2, 40, 3000, 3001)))
        .containsExactly("clients undisturbed while B boots");
    assertThat(broken(plan(null), good(), new Latency("boot", 50, 2, 700, 800, 900)))
        .containsExactly("clients undisturbed while B boots");
    Findings onHardware = good();
    onHardware.accelerator = new AcceleratorProbe.Found(Accelerator.KVM, "a kernel ran");
    assertThat(broken(plan(null), onHardware, new Latency("boot", 5000, 1, 40, 1500, 1500)))
        .containsExactly("clients undisturbed while B boots");
    assertThat(broken(plan(null), good(), null))
        .containsExactly("clients undisturbed while B boots");
  }

  @Test
  void whatBDoesNotOwnIsSeen() {
    Findings fewer = good();
    fewer.bAfter =
        new KernelFacts(
            Events.B, "hvc0", List.of(0, 1), 2 * GIB, 2 * GIB, List.of("eth1=0000:82:00.0"), 5001);
    assertThat(broken(fewer))
        .containsExactly("B owns all CPUs", "B owns all of A's memory", "B owns the NIC");
    Findings nobody = good();
    nobody.bAfter = null;
    assertThat(broken(nobody)).containsExactly("B owns the machine");
  }

  @Test
  void afterARehearsalTheFirstKernelServesAndTheGapIsKnown() {
    RunPlan plan = plan(null, true, false);
    Findings findings = good();
    findings.state = "REHEARSED";
    findings.bAfter = null;
    findings.aAfter = a();
    String told =
        """
        {"rehearsed":true,"estimated_gap_ms":190.5,"to_commit_ms":150,"after_commit_ms":40.5,
         "stopped_ms":260,"not_in_estimate":["the link"]}
        """;
    findings.events = new Events().late(0, 0, "", "switch", "done", told, 0).list();
    assertThat(broken(plan, findings, CALM)).isEmpty();

    findings.events = List.of();
    assertThat(broken(plan, findings, CALM)).containsExactly("the gap is estimated");

    findings.events =
        new Events().late(0, 0, "", "switch", "done", told.replace("190.5", "0"), 0).list();
    findings.state = "COMPLETE";
    assertThat(broken(plan, findings, CALM))
        .containsExactly("the upgrade was rehearsed", "the gap is estimated");
  }

  @Test
  void withAFaultTheFirstKernelMustServeOn() {
    RunPlan plan = plan(Fault.TWIN_HANGS);
    Findings findings = good();
    findings.state = "ROLLED_BACK";
    findings.bAfter = null;
    findings.aAfter = a();
    assertThat(broken(plan, findings, null)).isEmpty();

    findings.aAfter =
        new KernelFacts(Events.A, "ttyS0", List.of(0, 1, 2), 2 * GIB, 3 * GIB, List.of(), 5001);
    assertThat(broken(plan, findings, null))
        .containsExactly("A has its CPUs back", "A has its NIC back");

    findings.aAfter = a();
    findings.state = "COMPLETE";
    assertThat(broken(plan, findings, null)).containsExactly("the upgrade was rolled back");
  }

  @Test
  void whatIsNotKnownIsNotKept() {
    Findings nothing = new Findings();
    nothing.failure = "QEMU ended";
    assertThat(broken(plan(null), nothing, null))
        .contains("nothing failed", "the upgrade is complete", "clients keep their connections");
  }
}
