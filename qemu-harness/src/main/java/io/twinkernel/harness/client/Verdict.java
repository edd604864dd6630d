package io.twinkernel.harness.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What became of every write, told from what Redis holds after the run.
 *
 * @param connections what each connection saw
 * @param acknowledged writes that Redis acknowledged
 * @param lost of those, how many are not in their list
 * @param duplicated entries that are in a list more than once
 * @param outOfOrder entries that stand before an earlier one
 * @param unexplained entries that were never sent, or not answered and not the one in flight
 * @param wrongReads reads whose answer was not the value, and RPUSH answers that were not the
 *     length
 * @param wrongValues values of the dataset that are not what they were, all keys read back
 */
public record Verdict(
    List<ConnectionRecord> connections,
    long acknowledged,
    long lost,
    long duplicated,
    long outOfOrder,
    long unexplained,
    long wrongReads,
    long wrongValues) {

  private static final int SLICE = 4096;

  public Verdict {
    connections = List.copyOf(connections);
  }

  /**
   * Reads the lists and the dataset back over {@code checker}.
   *
   * @param wrong values besides the dataset that are not what they were
   */
  static Verdict of(
      List<ConnectionRecord> records,
      RespConnection checker,
      Dataset dataset,
      Versions versions,
      long wrong)
      throws IOException {
    long acknowledged = 0;
    long lost = 0;
    long duplicated = 0;
    long outOfOrder = 0;
    long unexplained = 0;
    long wrongReads = 0;
    for (ConnectionRecord record : records) {
      LogCheck check = LogCheck.of(record, entries(checker, record.log()));
      acknowledged += record.acknowledged();
      lost += check.lost();
      duplicated += check.duplicated();
      outOfOrder += check.outOfOrder();
      unexplained += check.unexplained();
      wrongReads += record.wrongReads();
    }
    return new Verdict(
        records,
        acknowledged,
        lost,
        duplicated,
        outOfOrder,
        unexplained,
        wrongReads,
        wrong + dataset.countWrong(checker, versions));
  }

  private static List<String> entries(RespConnection checker, String log) throws IOException {
    List<String> entries = new ArrayList<>();
    while (true) {
      int before = entries.size();
      Reply reply =
          checker.call(
              "LRANGE", log, Integer.toString(before), Integer.toString(before + SLICE - 1));
      if (!(reply instanceof Reply.Items items)) {
        throw new IOException("LRANGE " + log + " answered with " + reply);
      }
      for (Reply item : items.replies()) {
        entries.add(item instanceof Reply.Bulk bulk ? bulk.text() : item.toString());
      }
      if (entries.size() == before) {
        return entries;
      }
    }
  }

  /** Connections that answered to the end. */
  public long open() {
    return connections.stream().filter(c -> c.ended() instanceof Ended.Open).count();
  }

  /** Connections that were reset or closed by the other side. */
  public long reset() {
    return connections.stream().filter(c -> c.ended() instanceof Ended.Reset).count();
  }

  /** Connections that fell silent, or answered something else than was asked. */
  public long stuck() {
    return connections.size() - open() - reset();
  }

  /** The longest gap of any connection, in nanoseconds. */
  public long longestGapNanos() {
    return connections.stream().mapToLong(ConnectionRecord::longestGapNanos).max().orElse(0);
  }

  /** Whether every connection stayed, every write is there once, and every value is right. */
  public boolean flawless() {
    return open() == connections.size()
        && lost == 0
        && duplicated == 0
        && outOfOrder == 0
        && unexplained == 0
        && wrongReads == 0
        && wrongValues == 0;
  }
}
