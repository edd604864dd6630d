package io.twinkernel.harness.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a run found out: the content of report.json, whose schema is the resource {@code
 * report.schema.json}. Times are milliseconds, sizes bytes, unless a name says otherwise.
 *
 * @param fault the fault that was asked for
 * @param failure why the run did not end as it should
 * @param consoles what uname -r said on each console while both kernels ran
 * @param trace steps of the critical section
 * @param further the upgrades after the first one, of which all else but the client's figures tells
 * @param clockOffsetUs how far B's CLOCK_REALTIME was ahead of A's after the switch, in µs; null
 *     where B did not tell
 * @param wire what TCP made of the switch, seen on the tap; null where nothing was captured
 * @param rehearsal what the gap would be; null where the upgrade was no rehearsal
 * @param checks each promise by name, and whether it was kept
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record DemoReport(
    int version,
    Outcome outcome,
    @Nullable String fault,
    @Nullable String failure,
    String from,
    String to,
    String started,
    double durationMs,
    @JsonUnwrapped Setting setting,
    @JsonUnwrapped Service service,
    Ownership before,
    Ownership after,
    Map<String, String> consoles,
    List<Phase> phases,
    List<Step> trace,
    List<Latency> latency,
    List<Connection> connections,
    @Nullable Double clockOffsetUs,
    @Nullable Wire wire,
    @Nullable Rehearsal rehearsal,
    Map<String, Check> checks,
    List<Further> further,
    List<Point> series) {

  /** Format of this record; grows when a reader would misread it. */
  public static final int VERSION = 1;

  /** How the run ended. */
  public enum Outcome {
    /** B serves, A is parked. */
    @JsonProperty("completed")
    COMPLETED,
    /** A serves on as if nothing had been. */
    @JsonProperty("rolled-back")
    ROLLED_BACK,
    /** A serves on: it was not to be committed. */
    @JsonProperty("rehearsed")
    REHEARSED,
    /** Nothing was changed. */
    @JsonProperty("refused")
    REFUSED,
    /** Neither of these. */
    @JsonProperty("failed")
    FAILED
  }

  /**
   * The machine.
   *
   * @param acceleratorWhy what the probe for it showed
   * @param cpus their numbers
   * @param memory RAM
   * @param kernelABoot from QEMU's start to a broker that has dialled in and a Redis that answers
   * @param kernelBBoot from the start of the boot phase to its end
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Setting(
      String accelerator,
      String acceleratorWhy,
      List<Integer> cpus,
      long memory,
      @JsonProperty("kernel_a_boot_ms") double kernelABoot,
      @JsonProperty("kernel_b_boot_ms") double kernelBBoot) {}

  /**
   * What the outside client found.
   *
   * @param gapMs longest time between two answers on one connection, pauses of the client included
   * @param gapAtMs when it began, since the upgrade was asked for
   * @param clientPauseMs the pause that the client makes between two requests on a connection
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Service(
      double gapMs,
      double gapAtMs,
      double clientPauseMs,
      long connectionsOpen,
      long connectionsReset,
      long connectionsStuck,
      long writesAcknowledged,
      long writesLost,
      long writesDuplicated,
      long writesOutOfOrder,
      long writesUnexplained,
      long readsWrong,
      long valuesChecked,
      long valuesWrong) {}

  /**
   * Who owns what. A kernel that is not there owns nothing.
   *
   * @param serving release of the kernel that has the NIC and the processes
   * @param parkedCpu APIC id of the CPU that kernel A has parked on, if it has
   */
  public record Ownership(
      String serving,
      @Nullable KernelFacts a,
      @Nullable KernelFacts b,
      @JsonProperty("parked_cpu") @Nullable Integer parkedCpu) {}

  /**
   * What one kernel said of itself on its own console.
   *
   * @param release {@code uname -r}
   * @param console the device that it said it on
   * @param cpus CPUs that are online, by the kernel's own numbers
   * @param memoryBytes MemTotal of /proc/meminfo
   * @param ramBytes the machine's RAM that it drives: all "System RAM" of /proc/iomem
   * @param nics network interfaces with a PCI device, as {@code eth0=0000:81:00.0}
   * @param redisPid process number of Redis, 0 where it does not run
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record KernelFacts(
      String release,
      String console,
      List<Integer> cpus,
      long memoryBytes,
      long ramBytes,
      List<String> nics,
      long redisPid) {}

  /**
   * A phase of the upgrade, from its first event to its last.
   *
   * @param kernel release of the kernel that ended it
   * @param fromMs since the upgrade was asked for
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Phase(String name, String status, String kernel, double fromMs, double ms) {}

  /** A step of the critical section, from the brokers' own trace. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Step(String name, String side, double fromMs, double ms) {}

  /** Latency of the answers that came in a part of the run. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Latency(
      String part, long answers, double p50Ms, double p99Ms, double maxMs, double gapMs) {}

  /** One connection's end. */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Connection(int number, String ended, long acknowledged, double gapMs) {}

  /**
   * What was seen on the tap, of all the client's connections.
   *
   * @param segments captured
   * @param missed packets that were not captured: then the rest are lower bounds
   * @param retransmissions segments that began before what their sender had sent already
   * @param retransmissionsSinceFreeze those of them from the freeze on
   * @param retransmissionsInSwitch those from the freeze to a second after the processes ran again:
   *     a timer that began to run in the gap has ended by then
   * @param needless how many of all of them the other end had already: TCP probes for a loss where
   *     an acknowledgment is late (RFC 8985, 7)
   * @param resets segments with RST
   * @param duplicateAcks acknowledgments that asked for what was missing
   * @param probes of windows and of idle connections
   * @param silenceMs longest time without a segment on a connection
   * @param silenceAtMs when it began, since the upgrade was asked for
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Wire(
      long segments,
      long missed,
      long retransmissions,
      long retransmissionsSinceFreeze,
      long retransmissionsInSwitch,
      long needless,
      long resets,
      long duplicateAcks,
      long probes,
      double silenceMs,
      double silenceAtMs) {}

  /**
   * What a rehearsal says of the gap, by A's broker.
   *
   * @param estimatedGapMs from the freeze to what would be the last step before the processes run
   * @param toCommitMs of it to the commit, all of it as it would be
   * @param afterCommitMs of it after the commit, done to an interface that stands in for the NIC
   * @param stoppedMs how long the processes stood still for the rehearsal
   * @param notInEstimate what cannot be rehearsed
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Rehearsal(
      double estimatedGapMs,
      double toCommitMs,
      double afterCommitMs,
      double stoppedMs,
      List<String> notInEstimate) {}

  /**
   * An upgrade after the first one, in the same life of the machine.
   *
   * @param state the control plane's in the end
   * @param gapMs longest time between two answers on one connection, from its request to its end
   * @param after the kernel that served then; null if it did not complete
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Further(
      String from, String to, String state, double gapMs, @Nullable KernelFacts after) {}

  /** Whether a promise was kept, and what was seen. */
  public record Check(boolean ok, String reason) {}

  /**
   * The latency plot: answers of a stretch of time, all connections.
   *
   * @param atMs since the upgrade was asked for, the middle of the stretch
   * @param medianMs median latency
   * @param maxMs worst latency of a request that was sent in it
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Point(double atMs, double medianMs, double maxMs) {}

  /** Whether all promises were kept. */
  public boolean kept() {
    return !checks.isEmpty() && checks.values().stream().allMatch(Check::ok);
  }
}
