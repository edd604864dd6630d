package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.ffi.Tsc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Has this kernel's broker say all the time that it is alive, for as long as the other one's
 * processes may wait for it. The module's heartbeat is too slow for that, and goes on where only
 * the broker has ended.
 */
final class Pulse implements AutoCloseable {
  static final Duration INTERVAL = Duration.ofMillis(2);

  private final SharedRegion region;
  private final SharedRegion.Side side;
  private volatile boolean over;

  /** How late one beat was at most since the last {@link #mark}, ns. */
  private volatile long latest;

  /** The same of each time that the gap was practised. */
  private final List<Long> practised = new ArrayList<>();

  private Pulse(SharedRegion region, SharedRegion.Side side) {
    this.region = region;
    this.side = side;
  }

  /** Begins; the first beat has been when this returns. */
  static Pulse begin(SharedRegion region, SharedRegion.Side side) {
    var pulse = new Pulse(region, side);
    region.pulse(side, Tsc.read());
    Thread.ofPlatform().name("pulse").daemon().start(pulse::beat);
    return pulse;
  }

  private void beat() {
    Urgency.PULSE.begin();
    long before = System.nanoTime();
    while (!over) {
      LockSupport.parkNanos(INTERVAL.toNanos());
      region.pulse(side, Tsc.read());
      long now = System.nanoTime();
      latest = Math.max(latest, now - before - INTERVAL.toNanos());
      before = now;
    }
  }

  /** The gap has been practised once more. */
  synchronized void mark() {
    practised.add(latest);
    latest = 0;
  }

  /**
   * How late a beat is when the gap is practised: who listens must have that patience. That is the
   * median of the latest of each time; the first times the JVM compiles what they do.
   */
  synchronized Duration latest() {
    if (practised.isEmpty()) {
      return Duration.ofNanos(latest);
    }
    return Duration.ofNanos(practised.stream().sorted().toList().get(practised.size() / 2));
  }

  @Override
  public void close() {
    over = true;
  }
}
