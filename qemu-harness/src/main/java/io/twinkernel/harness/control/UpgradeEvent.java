package io.twinkernel.harness.control;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * One event of an upgrade, as the journal and the event bus carry it.
 *
 * @param upgrade id
 * @param sequence from 1, without gaps
 * @param atMillis CLOCK_REALTIME of whom it comes from, ms since 1970 with fractions
 * @param kernel release of the kernel that it comes from, empty where it is the control plane's
 * @param phase {@code plan} to {@code complete}, or {@code rollback}
 * @param status {@code started}, {@code progress}, {@code done} or {@code failed}
 * @param state the upgrade's state after it
 * @param message for people
 * @param detail for programs, an object or missing
 * @param tsc the machine's time stamp counter, 0 where the control plane says it
 * @param receivedAt {@link System#nanoTime} of this process when it arrived
 */
public record UpgradeEvent(
    String upgrade,
    long sequence,
    double atMillis,
    String kernel,
    String phase,
    String status,
    String state,
    String message,
    JsonNode detail,
    long tsc,
    long receivedAt) {

  static UpgradeEvent of(JsonNode body, long receivedAt) {
    return new UpgradeEvent(
        body.path("upgrade").asText(),
        body.path("sequence").asLong(),
        body.path("at_ms").asDouble(),
        body.path("kernel").asText(""),
        body.path("phase").asText(),
        body.path("status").asText(),
        body.path("state").asText(""),
        body.path("message").asText(""),
        body.path("detail"),
        body.path("tsc").asLong(0),
        receivedAt);
  }

  public boolean is(String wantedPhase, String wantedStatus) {
    return phase.equals(wantedPhase) && status.equals(wantedStatus);
  }
}
