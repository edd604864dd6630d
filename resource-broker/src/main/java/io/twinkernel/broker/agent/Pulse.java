package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.ffi.Tsc;
import java.time.Duration;
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

  /** How late one beat was at most, ns. */
  private volatile long latest;

  private volatile long marked;

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

  /** The gap has been practised once more: how late beats were then counts more than before. */
  void mark() {
    marked = Math.max(latest, marked - marked / 4);
    latest = 0;
  }

  /** How late beats were when the gap was last practised: who listens must have that patience. */
  Duration latest() {
    return Duration.ofNanos(marked > 0 ? marked : latest);
  }

  @Override
  public void close() {
    over = true;
  }
}
