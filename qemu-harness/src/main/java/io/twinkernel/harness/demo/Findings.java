package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.capture.WireTrace;
import io.twinkernel.harness.client.Verdict;
import io.twinkernel.harness.control.UpgradeEvent;
import io.twinkernel.harness.qemu.AcceleratorProbe;
import io.twinkernel.harness.report.DemoReport.KernelFacts;
import io.twinkernel.harness.report.DemoReport.Rehearsal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a run has come to know so far; filled step by step, so that a run that fails half way can
 * still report what it saw. Used by one thread.
 */
final class Findings {

  final Instant started = Instant.now();
  final long startedAt = System.nanoTime();
  AcceleratorProbe.@Nullable Found accelerator;
  double kernelABootMs;

  /** {@link System#nanoTime} when the upgrade was asked for, 0 before. */
  long askedAt;

  /** When both kernels had been shown; the boot phase's end for the client. */
  long bothShownAt;

  /** The upgrades after the first one. */
  final List<Chain.Link> further = new ArrayList<>();

  final Map<String, String> consoles = new LinkedHashMap<>();
  @Nullable KernelFacts aBefore;
  @Nullable KernelFacts aAfter;
  @Nullable KernelFacts bAfter;
  String redisBefore = "";
  String redisAfter = "";
  List<UpgradeEvent> events = List.of();
  String state = "";
  int valuesChecked;

  /** What the workloads beside Redis said before the upgrade. */
  List<String> workloadsBefore = List.of();

  /** What they said in the end. */
  List<String> workloads = List.of();

  /** What is said of the disk in the end. */
  List<String> disk = List.of();

  @Nullable Verdict verdict;

  /** What went over the tap while the client was connected. */
  @Nullable WireTrace wire;

  @Nullable String failure;

  /** How far B's CLOCK_REALTIME was ahead of A's after the switch, in ns, as B's broker told. */
  OptionalLong clockOffset() {
    return events.stream()
        .map(event -> event.detail().path("clock_offset_ns"))
        .filter(JsonNode::isIntegralNumber)
        .mapToLong(JsonNode::asLong)
        .findFirst();
  }

  /** What a rehearsal said of the gap; null if there was none. */
  @Nullable Rehearsal rehearsal() {
    for (UpgradeEvent event : events) {
      JsonNode detail = event.detail();
      if (detail.path("rehearsed").asBoolean()) {
        List<String> missing = new ArrayList<>();
        detail.path("not_in_estimate").forEach(part -> missing.add(part.asText()));
        return new Rehearsal(
            detail.path("estimated_gap_ms").asDouble(),
            detail.path("to_commit_ms").asDouble(),
            detail.path("after_commit_ms").asDouble(),
            detail.path("stopped_ms").asDouble(),
            List.copyOf(missing));
      }
    }
    return null;
  }

  /** Whether the upgrade ended in this state of the control plane's. */
  boolean ended(String wanted) {
    return state.equals(wanted);
  }
}
