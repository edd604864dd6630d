package io.twinkernel.broker.agent;

import io.twinkernel.broker.link.Baton;
import io.twinkernel.broker.link.LinkException;
import io.twinkernel.broker.link.SharedRegion;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Notices in the gap that the other kernel's broker has ended or stands still, or its kernel has
 * panicked, and ends the conversation with it: whoever waits for its word, or for room to send,
 * learns that at once. Time in which this watch itself did not run counts little: on a machine that
 * has too much to do both sides come late.
 */
final class PulseWatch implements AutoCloseable {
  /**
   * A kernel may keep urgent threads from the CPU for 50 ms in a second
   * (/proc/sys/kernel/sched_rt_runtime_us): as short a silence says nothing, nor does twice that.
   */
  private static final Duration LEAST = Duration.ofMillis(100);

  /**
   * So many times what a beat was late in practice it may be in the gap, besides. There it was seen
   * to be once that at most; a switch called off for nothing costs more than one that waits.
   */
  private static final int FACTOR = 4;

  private final SharedRegion region;
  private final SharedRegion.Side other;
  private final Peer peer;
  private final long patience;
  private volatile boolean watching;
  private volatile boolean over;

  /**
   * It watches from {@link #begin} on.
   *
   * @param other whose broker is watched
   * @param peer that broker
   * @param latest how late its beats were in practice
   */
  PulseWatch(SharedRegion region, SharedRegion.Side other, Peer peer, Duration latest) {
    this.region = region;
    this.other = other;
    this.peer = peer;
    this.patience = LEAST.plus(latest.multipliedBy(FACTOR)).toNanos();
    Thread.ofPlatform().name("pulse-watch").daemon().start(this::watch);
  }

  /** From now on it is called off if the other side falls silent. */
  void begin() {
    watching = true;
  }

  /** The processes run for a while, and the other side may take its time. */
  void rest() {
    watching = false;
  }

  private void watch() {
    Urgency.PULSE.begin();
    long most = 2 * Pulse.INTERVAL.toNanos();
    long heard = region.pulse(other);
    long silence = 0;
    long before = System.nanoTime();
    while (!over) {
      LockSupport.parkNanos(Pulse.INTERVAL.toNanos());
      long now = System.nanoTime();
      long pulse = region.pulse(other);
      boolean silent = watching && pulse == heard;
      silence = silent ? silence + Math.min(now - before, most) : 0;
      heard = pulse;
      before = now;
      if (watching && region.panicked(other)) {
        callOff(LinkException.PeerGone.panicked());
      } else if (silence > patience) {
        callOff(LinkException.PeerGone.silent(Duration.ofNanos(silence)));
      }
    }
  }

  /** Decides, too: the other side cannot commit afterwards. What it has committed is its own. */
  private void callOff(LinkException.PeerGone reason) {
    over = true;
    region.moveBaton(Baton.SWITCHING, Baton.ABORTED);
    if (!isCommitted()) {
      peer.giveUp(reason);
    }
  }

  private boolean isCommitted() {
    try {
      return region.baton() == Baton.COMMITTED;
    } catch (LinkException e) {
      return false;
    }
  }

  @Override
  public void close() {
    over = true;
  }
}
