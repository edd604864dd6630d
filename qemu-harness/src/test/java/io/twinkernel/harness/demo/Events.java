package io.twinkernel.harness.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.harness.control.UpgradeEvent;
import java.util.ArrayList;
import java.util.List;

/** Events of an upgrade as they arrive, on a clock of 1 ms a tick of {@link #at}. */
final class Events {

  static final String A = "6.1.0-56-cloud-amd64";
  static final String B = "6.12.117+deb12-cloud-amd64";

  /** {@link System#nanoTime} of the timeline's 0. */
  static final long ORIGIN = 5_000_000_000L;

  /** What the guest's wall clock says at the timeline's 0, and the control plane's. */
  private static final double GUEST = 1_700_000_000_000.0;

  private static final double CONTROL = GUEST + 700;

  private final List<UpgradeEvent> events = new ArrayList<>();

  /** An event that came without delay. */
  Events at(double millis, String kernel, String phase, String status) {
    return late(millis, 0, kernel, phase, status, "{}", 0);
  }

  Events late(
      double millis,
      double delay,
      String kernel,
      String phase,
      String status,
      String detail,
      long tsc) {
    try {
      events.add(
          new UpgradeEvent(
              "id",
              events.size() + 1,
              (kernel.isEmpty() ? CONTROL : GUEST) + millis,
              kernel,
              phase,
              status,
              "",
              "",
              new ObjectMapper().readTree(detail),
              tsc,
              ORIGIN + Math.round((millis + delay) * 1e6)));
      return this;
    } catch (JsonProcessingException malformed) {
      throw new IllegalArgumentException(detail, malformed);
    }
  }

  List<UpgradeEvent> list() {
    return List.copyOf(events);
  }
}
