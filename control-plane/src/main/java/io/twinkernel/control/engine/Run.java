package io.twinkernel.control.engine;

import io.twinkernel.control.journal.Journal;
import io.twinkernel.control.upgrade.Upgrade;
import io.twinkernel.control.upgrade.UpgradeEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import org.jspecify.annotations.Nullable;

/** An upgrade in the conductor's hands; used on its thread only. */
final class Run {
  final Journal journal;
  final List<UpgradeEvent> events;

  /** Run once, at the next event. */
  final List<Runnable> watchers = new ArrayList<>();

  Upgrade upgrade;
  @Nullable ScheduledFuture<?> deadline;

  /** The command that the deadline is for; 0 for none. */
  long deadlineFor;

  Run(Journal journal, Upgrade upgrade, List<UpgradeEvent> events) {
    this.journal = journal;
    this.upgrade = upgrade;
    this.events = new ArrayList<>(events);
  }

  List<UpgradeEvent> eventsAfter(long sequence) {
    int from = (int) Math.min(Math.max(sequence, 0), events.size());
    return List.copyOf(events.subList(from, events.size()));
  }
}
