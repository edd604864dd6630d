package io.twinkernel.broker.link;

import java.io.IOException;
import java.time.Duration;

/**
 * A doorbell that can be done without for a while: this side then looks at the rings all the time,
 * and rings nobody's bell, as the other side is to do the same. One that does not hears of nothing
 * before it next looks by itself.
 */
final class Polling implements Doorbell {
  /** How often the rings are looked at between two looks at the clock. */
  private static final int LOOKS = 1000;

  private final Doorbell bell;
  private final Ring incoming;
  private final Ring outgoing;
  private volatile boolean on;
  private volatile long end;
  private long lastRead;

  Polling(Doorbell bell, Ring incoming, Ring outgoing) {
    this.bell = bell;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.lastRead = outgoing.read();
  }

  /** Polls from the next wait on, for so long; zero ends it. */
  void poll(Duration duration) {
    end = System.nanoTime() + duration.toNanos();
    on = duration.isPositive();
  }

  @Override
  public void ring() throws IOException {
    if (!on) {
      bell.ring();
    }
  }

  @Override
  public boolean await(Duration timeout) throws IOException {
    if (!on) {
      return bell.await(timeout);
    }
    long start = System.nanoTime();
    while (on) {
      for (int look = 0; look < LOOKS; look++) {
        if (changed()) {
          return true;
        }
        Thread.onSpinWait();
      }
      long now = System.nanoTime();
      if (now - end >= 0) {
        on = false;
        // What was sent or taken in silence is not to wait until the other side looks by itself.
        bell.ring();
      } else if (now - start >= timeout.toNanos()) {
        return false;
      }
    }
    return false;
  }

  /** Whether something came, or what was sent is being taken. */
  private boolean changed() {
    long read = outgoing.read();
    boolean taken = read != lastRead;
    lastRead = read;
    return taken || incoming.written() != incoming.read();
  }
}
