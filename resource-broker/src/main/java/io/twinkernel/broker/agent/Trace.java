package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.prestage.Steps;
import io.twinkernel.ffi.Tsc;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What happened when in the critical section, on the TSC, which both kernels share. */
final class Trace {
  private final String side;
  private final List<Map<String, Object>> spans = new ArrayList<>();

  /** What goes wrong at one of the steps; null: nothing is to. */
  private volatile @Nullable SwitchFault fault;

  /**
   * @param side whose steps they are
   * @param fault what is to go wrong at one of them, if it is on that side
   */
  Trace(SharedRegion.Side side, Optional<SwitchFault> fault) {
    this.side = side.name();
    this.fault = fault.filter(one -> one.side() == side).orElse(null);
  }

  /**
   * Records a step that began at {@code fromTsc} and ends now.
   *
   * @return now
   * @throws IOException if this is the step that is to fail
   */
  long add(String name, long fromTsc) throws IOException {
    return add(name, fromTsc, Tsc.read());
  }

  /** Likewise, with the time at which it ended. */
  long add(String name, long fromTsc, long toTsc) throws IOException {
    note(name, fromTsc, toTsc);
    SwitchFault asked = fault;
    if (asked != null) {
      asked.strike(name);
    }
    return toTsc;
  }

  /** Records a step that cannot fail. */
  synchronized void note(String name, long fromTsc, long toTsc) {
    spans.add(Map.of("name", name, "side", side, "from_tsc", fromTsc, "to_tsc", toTsc));
  }

  /** The baton has decided: of what goes wrong on purpose only a broker's end still may. */
  void decided() {
    SwitchFault asked = fault;
    fault = asked != null && asked.kind() == SwitchFault.Kind.DIES ? asked : null;
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
    public void done(String step) throws IOException {
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
