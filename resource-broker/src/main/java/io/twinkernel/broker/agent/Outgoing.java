package io.twinkernel.broker.agent;

import io.twinkernel.broker.protocol.BrokerException;
import io.twinkernel.broker.protocol.Command;
import io.twinkernel.broker.protocol.Failure;
import io.twinkernel.ffi.Tsc;
import io.twinkernel.ffi.TwinDevice;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * An upgrade on the kernel that gives. Each verb needs the {@link Stage} before it. One that fails
 * brings the machine back to where the upgrade began; its failure says whether that worked.
 */
final class Outgoing {
  private final NodeConf conf;
  private final TwinDevice device;
  private final Reporter reporter;
  private final Consumer<Map<String, Object>> events;
  private final Consumer<Runnable> between;
  private final Duration bootDeadline;
  private final Clock clock;
  private Stage stage = new Stage.Idle();
  private Undo prepared = new Undo();
  private Undo running = new Undo();
  private Undo gap = new Undo();

  /**
   * @param events takes the events of B's broker
   * @param between has this broker's thread do something between two verbs
   * @param bootDeadline how long B may take to start
   */
  Outgoing(
      NodeConf conf,
      TwinDevice device,
      Reporter reporter,
      Consumer<Map<String, Object>> events,
      Consumer<Runnable> between,
      Duration bootDeadline)
      throws IOException {
    this.conf = conf;
    this.device = device;
    this.reporter = reporter;
    this.events = events;
    this.between = between;
    this.bootDeadline = bootDeadline;
    this.clock = new Clock(device.info().tscKhz());
  }

  Stage stage() {
    return stage;
  }

  /** Whether the other kernel owns the service. */
  boolean left() {
    return stage instanceof Stage.Left;
  }

  /**
   * Carries out one verb.
   *
   * @return figures for the reply
   * @throws BrokerException refused, with nothing changed, or failed and rolled back
   */
  Map<String, Object> perform(Command command) throws BrokerException {
    String phase = command.verb().word();
    String upgrade = command.upgrade();
    try {
      return switch (command.verb()) {
        case PLAN -> givingWay(() -> plan(command));
        case PREPARE -> givingWay(() -> prepare(need(Stage.Planned.class, command)));
        case BOOT -> givingWay(() -> boot(need(Stage.Prepared.class, command)));
        case PRECOPY -> precopy(need(Stage.Booted.class, command));
        case SWITCH -> switchOver(need(Stage.Copied.class, command));
        case ROLLBACK -> rollBack(upgrade);
        case STATUS -> Map.of("stage", stage.getClass().getSimpleName());
        case ABSORB -> throw notNow(command);
      };
    } catch (BrokerException e) {
      Failure failure = e.failure();
      throw failure.undone() ? e : new BrokerException(failed(upgrade, phase, failure), e);
    } catch (IOException e) {
      String why = e.getMessage() == null ? e.toString() : e.getMessage();
      var failure =
          new Failure(phase + "-failed", phase, why, "mend the cause, then try again", false);
      throw new BrokerException(failed(upgrade, phase, failure), e);
    } catch (InterruptedException e) {
      var failure = new Failure("interrupted", phase, "a rollback was asked for", "", false);
      throw new BrokerException(failed(upgrade, phase, failure), e);
    }
  }

  /** A verb whose duration nobody waits for. */
  @FunctionalInterface
  private interface Work {
    Map<String, Object> run() throws BrokerException, IOException, InterruptedException;
  }

  private static Map<String, Object> givingWay(Work work)
      throws BrokerException, IOException, InterruptedException {
    try (var _ = GivingWay.begin()) {
      return work.run();
    }
  }

  private Map<String, Object> plan(Command command) throws BrokerException, IOException {
    if (!(stage instanceof Stage.Idle || stage instanceof Stage.Planned)) {
      throw notNow(command);
    }
    UpgradePlan plan = UpgradePlan.of(command.upgrade(), command.arguments(), conf);
    Stage.Planned planned = new Planner(conf, device).check(plan);
    stage = planned;
    return planned.detail();
  }

  private Map<String, Object> prepare(Stage.Planned planned)
      throws BrokerException, IOException, InterruptedException {
    prepared = new Undo();
    running = new Undo();
    gap = new Undo();
    var ready = new Preparation(conf, device).prepare(planned, prepared);
    stage = ready;
    return Map.of(
        "shared_bytes",
        ready.region().layout().region(),
        "lent_bytes",
        ready.loan().total(),
        "pages_moved",
        ready.loan().moved(),
        "blocks_kept",
        ready.loan().kept());
  }

  private Map<String, Object> boot(Stage.Prepared ready)
      throws BrokerException, IOException, InterruptedException {
    var booted =
        new TwinBoot(device, events, this::twinLost, bootDeadline, conf.measuredNics())
            .boot(ready, running, clock);
    Failover.prepare(conf, device, ready.plan().upgrade(), booted.peer());
    stage = booted;
    var figures = new HashMap<String, Object>();
    figures.put("kernel", booted.kernel());
    figures.put("boot_ms", booted.bootTime().toNanos() / 1e6);
    if (!booted.link().isEmpty()) {
      figures.put("link", booted.link());
    }
    return figures;
  }

  /** B has stopped: whoever waits for it learns of it there; if nobody does, it is undone here. */
  private void twinLost(IOException reason) {
    between.accept(
        () -> {
          UpgradePlan plan =
              switch (stage) {
                case Stage.Booted booted -> booted.prepared().plan();
                case Stage.Copied copied -> copied.booted().prepared().plan();
                case Stage.Idle _, Stage.Planned _, Stage.Prepared _, Stage.Left _ -> null;
              };
          if (plan != null) {
            String why = String.valueOf(reason.getMessage());
            var _ =
                failed(
                    plan.upgrade(),
                    "rollback",
                    new Failure(
                        "twin-died", "kernel B", why, "read B's console, then try again", false));
          }
        });
  }

  private Map<String, Object> precopy(Stage.Booted booted)
      throws BrokerException, IOException, InterruptedException {
    Stage.Copied copied = new Staging(conf, device).stage(booted, prepared, bootDeadline);
    List<ProcessCopy.Round> rounds = copied.copies().make();
    stage = copied;
    var figures = new ArrayList<Map<String, Object>>();
    for (ProcessCopy.Round round : rounds) {
      figures.add(Map.of("bytes", round.bytes(), "ms", round.millis()));
    }
    return Map.of(
        "rounds",
        figures,
        "dump_stop_ms",
        copied.copies().stops(),
        "stopped_to_be_dumped",
        reasons(copied.copies().stopped()),
        "go_over_by_full_dump",
        reasons(copied.copies().obstacles()));
  }

  private static List<Map<String, Object>> reasons(Map<Integer, String> byRoot) {
    var reasons = new ArrayList<Map<String, Object>>();
    byRoot.forEach((root, why) -> reasons.add(Map.of("process", root, "why", why)));
    return reasons;
  }

  private Map<String, Object> switchOver(Stage.Copied copied) throws BrokerException {
    // Comes at once, and so says how this kernel's clock relates to that of who hears it; what is
    // told of the gap comes late.
    reporter.started(
        copied.booted().prepared().plan().upgrade(), "switch", "both kernels get ready");
    Duration deadline = copied.booted().bootTime().plusSeconds(3);
    Optional<RehearsedGap> rehearsed =
        new OutgoingSwitch(clock, deadline, conf.practice()).run(copied, gap);
    if (rehearsed.isPresent()) {
      return rehearsed(copied, rehearsed.get());
    }
    prepared.forget();
    running.forget();
    gap.forget();
    stage = new Stage.Left(copied);
    leave(copied);
    return Map.of("committed", true);
  }

  private static void leave(Stage.Copied copied) {
    copied.guard().close();
    try {
      // Also where B's word that it has opened was not heard.
      copied.nic().forward();
      copied.nic().left();
    } catch (IOException e) {
      KernelLog.say("what is sent to many reaches the other kernel twice: " + e.getMessage());
    }
  }

  private Map<String, Object> rehearsed(Stage.Copied copied, RehearsedGap rehearsed)
      throws BrokerException {
    String upgrade = copied.booted().prepared().plan().upgrade();
    reporter.done(
        upgrade, "switch", "rehearsed; the service runs here again", rehearsed.trace(clock));
    List<String> failures = undo();
    if (!failures.isEmpty()) {
      throw incomplete("undoing the rehearsal", failures);
    }
    reporter.done(upgrade, "rollback", "this kernel goes on as before", Map.of());
    return (rehearsed.isUndone() ? rehearsed : rehearsed.undone(Tsc.read())).figures(clock);
  }

  private static BrokerException incomplete(String what, List<String> failures) {
    return new BrokerException(
        new Failure(
            "rollback-incomplete",
            what,
            String.join("; ", failures),
            "the service runs on this kernel; reboot it when it suits",
            true));
  }

  private Map<String, Object> rollBack(String upgrade) throws BrokerException {
    if (stage instanceof Stage.Left) {
      throw BrokerException.refused(
          "committed",
          "rolling back",
          "the other kernel owns the processes already",
          "to go back, upgrade to the former kernel");
    }
    List<String> failures = undo();
    if (!failures.isEmpty()) {
      throw incomplete("rolling back", failures);
    }
    reporter.done(upgrade, "rollback", "this kernel goes on as before", Map.of());
    return Map.of();
  }

  /** B stops first, then the service is back, then the rest is given back. */
  private List<String> undo() {
    var failures = new ArrayList<String>(running.all());
    failures.addAll(gap.all());
    failures.addAll(prepared.all());
    // A rollback interrupts what it stops; the next verb is not meant.
    Thread.interrupted();
    stage = new Stage.Idle();
    return failures;
  }

  private Failure failed(String upgrade, String phase, Failure failure) {
    reporter.failed(upgrade, phase, failure.what() + ": " + failure.why(), failure.toJson());
    List<String> failures = undo();
    reporter.done(
        upgrade,
        "rollback",
        failures.isEmpty() ? "this kernel goes on as before" : String.join("; ", failures),
        Map.of("failures", failures, "cause", failure.toJson()));
    return failure.withUndone(failures.isEmpty());
  }

  private <T extends Stage> T need(Class<T> type, Command command) throws BrokerException {
    if (!type.isInstance(stage)) {
      throw notNow(command);
    }
    return type.cast(stage);
  }

  private BrokerException notNow(Command command) {
    return BrokerException.refused(
        "wrong-stage",
        "the verb " + command.verb().word(),
        "this broker's upgrade is at stage " + stage.getClass().getSimpleName(),
        "ask for the verbs in their order: plan, prepare, boot, precopy, switch");
  }
}
