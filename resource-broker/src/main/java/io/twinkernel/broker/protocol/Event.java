package io.twinkernel.broker.protocol;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Something that happened in an upgrade, as it goes to the control plane.
 *
 * @param upgrade its id
 * @param kernel release of the kernel in which it happened
 * @param phase one of plan, prepare, boot, precopy, freeze, switch, resume, absorb, rollback
 * @param status one of started, progress, done, failed
 * @param tsc the machine's time stamp counter, one clock for both kernels
 * @param atMillis CLOCK_REALTIME in ms since 1970
 * @param detail figures, by the phase
 */
public record Event(
    String upgrade,
    String kernel,
    String phase,
    String status,
    long tsc,
    double atMillis,
    String message,
    Map<String, Object> detail) {

  public Map<String, Object> toJson() {
    var json = new LinkedHashMap<String, Object>();
    json.put("type", "event");
    json.put("upgrade", upgrade);
    json.put("kernel", kernel);
    json.put("phase", phase);
    json.put("status", status);
    json.put("tsc", tsc);
    json.put("at_ms", atMillis);
    json.put("message", message);
    json.put("detail", detail);
    return json;
  }
}
