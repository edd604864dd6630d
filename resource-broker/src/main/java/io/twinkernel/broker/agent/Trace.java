package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.ffi.Tsc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** What happened when in the critical section, on the TSC, which both kernels share. */
final class Trace {
  private final String side;
  private final List<Map<String, Object>> spans = new ArrayList<>();

  /**
   * @param side "A" or "B"
   */
  Trace(String side) {
    this.side = side;
  }

  /** Records a step that began at {@code fromTsc} and ends now; returns now. */
  long add(String name, long fromTsc) {
    return add(name, fromTsc, Tsc.read());
  }

  /** Records a step; returns when it ended. */
  synchronized long add(String name, long fromTsc, long toTsc) {
    spans.add(Map.of("name", name, "side", side, "from_tsc", fromTsc, "to_tsc", toTsc));
    return toTsc;
  }

  /** Records steps that follow one another, the first from now on. */
  Steps follow() {
    return new Follower(new AtomicLong(Tsc.read()));
  }

  private final class Follower implements Steps {
    private final AtomicLong from;

    Follower(AtomicLong from) {
      this.from = from;
    }

    @Override
    public void done(String step) {
      from.set(add(step, from.get()));
    }
  }

  /** Forgets an attempt that came to nothing. */
  synchronized void clear() {
    spans.clear();
  }

  synchronized List<Map<String, Object>> spans() {
    return List.copyOf(spans);
  }
}
