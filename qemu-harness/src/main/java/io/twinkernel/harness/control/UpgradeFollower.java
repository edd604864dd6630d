package io.twinkernel.harness.control;

import com.fasterxml.jackson.databind.JsonNode;
import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Follows one upgrade: events come by the bus, and what the bus left out is asked of the journal,
 * so that the events are gapless and in order whatever the bus did.
 */
public final class UpgradeFollower implements AutoCloseable {

  private final RestClient rest;
  private final Consumer<UpgradeEvent> listener;
  private final List<UpgradeEvent> events = new ArrayList<>();
  private final List<JsonNode> early = new ArrayList<>();
  private final BridgeClient bridge;
  private @Nullable String upgrade;
  private @Nullable Exception failure;

  /**
   * Listens from now on.
   *
   * @param listener told every event once, in order, on the thread that it came by
   */
  public UpgradeFollower(RestClient rest, int bridgePort, Consumer<UpgradeEvent> listener)
      throws HarnessException {
    this.rest = rest;
    this.listener = listener;
    try {
      this.bridge = new BridgeClient(bridgePort, "twinkernel.events", this::take, this::ended);
    } catch (IOException unreachable) {
      throw new HarnessException.Control(
          "the event bus bridge on port " + bridgePort + ": " + unreachable, unreachable);
    }
  }

  /** Says which upgrade is meant; events of it that came before are taken now. */
  public synchronized void follow(String id) {
    upgrade = id;
    List<JsonNode> waiting = List.copyOf(early);
    early.clear();
    waiting.forEach(this::take);
  }

  private synchronized void take(JsonNode body) {
    if (upgrade == null) {
      early.add(body);
      return;
    }
    UpgradeEvent event = UpgradeEvent.of(body, System.nanoTime());
    if (!event.upgrade().equals(upgrade) || event.sequence() <= last()) {
      return;
    }
    if (event.sequence() > last() + 1) {
      catchUp();
    }
    if (event.sequence() == last() + 1) {
      add(event);
    }
  }

  private void catchUp() {
    try {
      rest.events(String.valueOf(upgrade), last()).forEach(this::add);
    } catch (HarnessException unanswered) {
      failure = unanswered;
      notifyAll();
    }
  }

  private void add(UpgradeEvent event) {
    events.add(event);
    listener.accept(event);
    notifyAll();
  }

  private void ended(IOException why) {
    abort(why);
  }

  /** Ends all waiting: what is waited for cannot come any more. */
  public synchronized void abort(Exception why) {
    failure = why;
    notifyAll();
  }

  private long last() {
    return events.isEmpty() ? 0 : events.getLast().sequence();
  }

  /** All events so far. */
  public synchronized List<UpgradeEvent> events() {
    return List.copyOf(events);
  }

  /** Waits for the first event, also one that has come already, that matches. */
  public synchronized UpgradeEvent await(
      String what, Predicate<UpgradeEvent> wanted, Duration timeout) throws HarnessException {
    long deadline = System.nanoTime() + timeout.toNanos();
    int seen = 0;
    while (true) {
      for (; seen < events.size(); seen++) {
        if (wanted.test(events.get(seen))) {
          return events.get(seen);
        }
      }
      if (failure != null) {
        throw new HarnessException.Control(
            "the events ended while waiting for " + what + ": " + failure, failure);
      }
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (left <= 0) {
        throw new HarnessException.Control(
            "waited "
                + timeout.toSeconds()
                + " s for "
                + what
                + "; the last event was "
                + (events.isEmpty()
                    ? "none"
                    : events.getLast().phase() + " " + events.getLast().status()));
      }
      try {
        wait(left);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new HarnessException.Control("interrupted while waiting for " + what, interrupted);
      }
    }
  }

  @Override
  public void close() throws IOException {
    bridge.close();
  }
}
