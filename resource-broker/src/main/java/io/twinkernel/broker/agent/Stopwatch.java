package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Steps;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How long each of some steps took that follow one another. */
final class Stopwatch implements Steps {
  private record Lap(String step, long nanos) {}

  private final List<Lap> laps = new ArrayList<>();
  private long last = System.nanoTime();

  @Override
  public void done(String step) {
    long now = System.nanoTime();
    laps.add(new Lap(step, now - last));
    last = now;
  }

  /** Milliseconds of each step, in their order. */
  Map<String, Double> millis() {
    var millis = new LinkedHashMap<String, Double>();
    for (Lap lap : laps) {
      millis.merge(lap.step(), lap.nanos() / 1e6, Double::sum);
    }
    return Collections.unmodifiableMap(millis);
  }
}
