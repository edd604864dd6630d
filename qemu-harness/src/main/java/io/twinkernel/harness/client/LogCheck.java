package io.twinkernel.harness.client;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One connection's list against what was acknowledged on it.
 *
 * @param lost acknowledged writes that are not there
 * @param duplicated entries beyond the first of a number
 * @param outOfOrder entries smaller than the one before them
 * @param unexplained entries that are neither acknowledged nor the one in flight
 */
record LogCheck(long lost, long duplicated, long outOfOrder, long unexplained) {

  static LogCheck of(ConnectionRecord record, List<String> entries) {
    Map<Long, Integer> seen = HashMap.newHashMap(entries.size());
    long outOfOrder = 0;
    long unexplained = 0;
    long before = 0;
    for (String entry : entries) {
      long sequence = sequence(entry);
      boolean acknowledged = sequence >= 1 && sequence <= record.acknowledged();
      boolean inFlight = record.inFlight() != 0 && sequence == record.inFlight();
      if (!acknowledged && !inFlight) {
        unexplained++;
        continue;
      }
      seen.merge(sequence, 1, Integer::sum);
      if (sequence < before) {
        outOfOrder++;
      }
      before = sequence;
    }
    long duplicated = seen.values().stream().mapToLong(count -> count - 1).sum();
    long lost =
        record.acknowledged()
            - seen.keySet().stream().filter(n -> n <= record.acknowledged()).count();
    return new LogCheck(lost, duplicated, outOfOrder, unexplained);
  }

  private static long sequence(String entry) {
    try {
      return Long.parseLong(entry);
    } catch (NumberFormatException notOurs) {
      return -1;
    }
  }
}
