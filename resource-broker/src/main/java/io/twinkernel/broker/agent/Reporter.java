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

  void progress(String upgrade, String phase, String message, Map<String, Object> detail) {
    report(upgrade, phase, "progress", message, detail);
  }

  void done(String upgrade, String phase, String message, Map<String, Object> detail) {
    report(upgrade, phase, "done", message, detail);
  }

  void failed(String upgrade, String phase, String message, Map<String, Object> detail) {
    report(upgrade, phase, "failed", message, detail);
  }

  private void report(
      String upgrade, String phase, String status, String message, Map<String, Object> detail) {
    Instant time = Instant.now();
    double now = time.getEpochSecond() * 1e3 + time.getNano() / 1e6;
    sink.accept(
        new Event(upgrade, kernel, phase, status, Tsc.read(), now, message, detail).toJson());
  }
}
