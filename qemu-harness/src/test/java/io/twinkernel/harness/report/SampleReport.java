package io.twinkernel.harness.report;

import io.twinkernel.harness.report.DemoReport.Check;
import io.twinkernel.harness.report.DemoReport.Connection;
import io.twinkernel.harness.report.DemoReport.KernelFacts;
import io.twinkernel.harness.report.DemoReport.Latency;
import io.twinkernel.harness.report.DemoReport.Ownership;
import io.twinkernel.harness.report.DemoReport.Phase;
import io.twinkernel.harness.report.DemoReport.Point;
import io.twinkernel.harness.report.DemoReport.Service;
import io.twinkernel.harness.report.DemoReport.Setting;
import io.twinkernel.harness.report.DemoReport.Step;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A report with something in every field. */
final class SampleReport {

  private SampleReport() {}

  static DemoReport make(Map<String, Check> checks) {
    KernelFacts a =
        new KernelFacts(
            "6.1.0-56-cloud-amd64",
            "ttyS0",
            List.of(0, 1, 2, 3),
            1L << 31,
            3L << 30,
            List.of("eth0=0000:81:00.0"),
            5001);
    KernelFacts b =
        new KernelFacts(
            "6.12.117+deb12-cloud-amd64",
            "hvc0",
            List.of(0, 1, 2),
            3L << 30,
            3L << 30,
            List.of("eth1=0000:81:00.0"),
            5001);
    return new DemoReport(
        DemoReport.VERSION,
        DemoReport.Outcome.COMPLETED,
        null,
        null,
        a.release(),
        b.release(),
        "2026-01-01T00:00:00Z",
        88_000,
        new Setting("tcg", "no /dev/kvm", List.of(0, 1, 2, 3), 3L << 30, 29_000, 14_700),
        new Service(812.4, 41_000, 20, 8, 0, 0, 6779, 0, 0, 0, 0, 0, 16384, 0),
        new Ownership(a.release(), a, null, null),
        new Ownership(b.release(), null, b, 0),
        Map.of("a", a.release(), "b", b.release()),
        List.of(
            new Phase("plan", "done", a.release(), 10, 500),
            new Phase("boot", "done", a.release(), 600, 14_700),
            new Phase("freeze", "done", a.release(), 41_000, 120.5),
            new Phase("switch", "done", a.release(), 41_120, 500),
            new Phase("resume", "done", b.release(), 41_620, 180),
            new Phase("absorb", "done", b.release(), 42_000, 3000)),
        List.of(new Step("nic-release", "A", 0, 80), new Step("restore <all>", "B", 90, 420)),
        List.of(
            new Latency("before", 400, 1.2, 9.5, 20, 40),
            new Latency("gap", 8, 5, 812, 812, 812.4)),
        List.of(new Connection(0, "open", 900, 812.4), new Connection(1, "open", 880, 790)),
        -3.5,
        new DemoReport.Wire(40_000, 0, 3, 2, 1, 2, 0, 1, 0, 790, 41_010),
        new DemoReport.Rehearsal(190.5, 150, 40.5, 260, List.of("the network's opening")),
        checks,
        List.of(new DemoReport.Further(b.release(), a.release(), "COMPLETE", 790.1, b)),
        IntStream.range(0, 240)
            .mapToObj(i -> new Point(-2000 + i * 250, 1 + i % 7 * 0.3, i == 172 ? 812 : 4 + i % 11))
            .toList());
  }

  static Map<String, Check> kept() {
    return Map.of("no acknowledged write is lost", new Check(true, "0 of 6779"));
  }
}
