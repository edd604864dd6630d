package io.twinkernel.broker.measure;

import java.lang.foreign.MemorySegment;

/** Counts the records that arrive, and looks at each. */
public final class Tally {
  private long records;
  private long altered;

  /** Takes the next record. */
  public void take(MemorySegment record) {
    if (!Pattern.matches(records, record)) {
      altered++;
    }
    records++;
  }

  public long records() {
    return records;
  }

  public long altered() {
    return altered;
  }

  /** Begins anew. */
  public void reset() {
    records = 0;
    altered = 0;
  }

  /** Compares what was sent with what the other side says of it. */
  public static void require(long sent, long records, long altered) throws AlteredException {
    if (records != sent || altered != 0) {
      throw new AlteredException(
          "of " + sent + " records sent " + records + " arrived, " + altered + " of them altered");
    }
  }
}
