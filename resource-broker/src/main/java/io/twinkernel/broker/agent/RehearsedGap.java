package io.twinkernel.broker.agent;

import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A critical section without its commit, on the time stamp counter.
 *
 * @param frozen A began to stop the processes
 * @param stopped none of them ran any more
 * @param restored B had everything, and would have moved the baton
 * @param connected what follows that was done, to the interface that stands in for the NIC
 * @param resumed the processes ran again, in A; 0 before
 * @param trace steps of both sides, as {@link Trace#spans}
 */
record RehearsedGap(
    long frozen, long stopped, long restored, long connected, long resumed, List<Object> trace) {
  /** For the way to A. */
  Map<String, Object> toJson() {
    return Map.of(
        "frozen_tsc",
        frozen,
        "stopped_tsc",
        stopped,
        "restored_tsc",
        restored,
        "connected_tsc",
        connected,
        "trace",
        trace);
  }

  static RehearsedGap fromJson(Fields fields) throws MalformedMessageException {
    return new RehearsedGap(
        fields.number("frozen_tsc"),
        fields.number("stopped_tsc"),
        fields.number("restored_tsc"),
        fields.number("connected_tsc"),
        0,
        List.copyOf(fields.list("trace")));
  }

  /** The same, with the steps of the other side before its own. */
  RehearsedGap after(List<? extends Object> steps) {
    var all = new ArrayList<Object>(steps);
    all.addAll(trace);
    return new RehearsedGap(
        frozen, stopped, restored, connected, resumed, Collections.unmodifiableList(all));
  }

  /** The same, once the processes run in A again. */
  RehearsedGap undone(long now) {
    return new RehearsedGap(frozen, stopped, restored, connected, now, trace);
  }

  boolean isUndone() {
    return resumed != 0;
  }

  /**
   * For the operator. The estimate lacks what cannot be done without being seen: the network's
   * opening, and the processes' first instructions.
   */
  Map<String, Object> figures(Clock clock) {
    var figures = new LinkedHashMap<String, Object>();
    figures.put("rehearsed", true);
    figures.put("estimated_gap_ms", clock.millis(frozen, connected));
    figures.put("to_commit_ms", clock.millis(frozen, restored));
    figures.put("after_commit_ms", clock.millis(restored, connected));
    figures.put(
        "not_in_estimate",
        List.of("the network's opening", "the processes' first instructions in B"));
    figures.put("stopped_ms", clock.millis(frozen, resumed));
    return figures;
  }

  /** For an event: where the time went. */
  Map<String, Object> trace(Clock clock) {
    return Map.of("frozen_tsc", frozen, "tsc_khz", clock.tscKhz(), "trace", trace);
  }
}
