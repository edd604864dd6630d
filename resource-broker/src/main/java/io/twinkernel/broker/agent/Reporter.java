package io.twinkernel.broker.agent;

import io.twinkernel.broker.protocol.Event;
import io.twinkernel.ffi.Tsc;
import java.time.Instant;
import java.util.Map;
import java.util.function.Consumer;

/** Tells what happens in an upgrade, in the kernel that this broker runs in. */
final class Reporter {
  private final String kernel;
  private final Consumer<Map<String, Object>> sink;

  /**
   * @param kernel release
   * @param sink takes events in the form of the control channel
   */
  Reporter(String kernel, Consumer<Map<String, Object>> sink) {
    this.kernel = kernel;
    this.sink = sink;
  }

  void started(String upgrade, String phase, String message) {
    report(upgrade, phase, "started", message, Map.of());
  }

  void done(String upgrade, String phase, String message, Map<String, Object> detail) {
    report(upgrade, phase, "done", message, detail);
  }

  void failed(String upgrade, String phase, String message, Map<String, Object> detail) {
    report(upgrade, phase, "failed", message, detail);
  }

  private void report(
      String upgrade, String phase, String status, String message, Map<String, Object> detail) {
    sink.accept(
        new Event(upgrade, kernel, phase, status, Tsc.read(), millis(), message, detail).toJson());
  }

  private static double millis() {
    Instant time = Instant.now();
    return time.getEpochSecond() * 1e3 + time.getNano() / 1e6;
  }

  /** Tells the phases of a switch that is over, each at the time when it was. */
  void gap(String upgrade, Clock clock, Gap gap, Map<String, Object> detail) {
    double now = millis();
    long nowTsc = Tsc.read();
    String service = "the processes run on " + kernel;
    event(upgrade, "freeze", "started", gap.frozen(), now, nowTsc, clock, "", Map.of());
    event(upgrade, "freeze", "done", gap.stopped(), now, nowTsc, clock, "", Map.of());
    event(upgrade, "switch", "done", gap.committed(), now, nowTsc, clock, "committed", Map.of());
    event(upgrade, "resume", "started", gap.committed(), now, nowTsc, clock, "", Map.of());
    event(upgrade, "resume", "done", gap.resumed(), now, nowTsc, clock, service, detail);
  }

  private void event(
      String upgrade,
      String phase,
      String status,
      long tsc,
      double now,
      long nowTsc,
      Clock clock,
      String message,
      Map<String, Object> detail) {
    double at = now - clock.millis(tsc, nowTsc);
    sink.accept(new Event(upgrade, kernel, phase, status, tsc, at, message, detail).toJson());
  }
}
