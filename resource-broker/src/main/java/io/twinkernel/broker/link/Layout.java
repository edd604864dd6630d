package io.twinkernel.broker.link;

/**
 * Where things are in the shared region, as byte offsets; recorded in {@code struct twin_shared}.
 *
 * @param region bytes in all
 * @param tables offset of B's ACPI tables, and their room
 * @param parking offset of the pages in which A parks, and their room
 * @param ringA offset of the ring that A writes; {@code ringABytes} of data
 * @param ringB offset of the ring that B writes; {@code ringBBytes} of data
 */
public record Layout(
    long region,
    int tables,
    int tablesBytes,
    int parking,
    int parkingBytes,
    int ringA,
    int ringABytes,
    int ringB,
    int ringBBytes) {

  private static final int TABLES = 0x1000;
  private static final int TABLES_BYTES = 0x20000;
  private static final int PARKING_BYTES = 0x10000;
  private static final int RING_A = 0x100000;
  private static final int RING_B_BYTES = 1 << 20;

  /** The smallest region that holds it all. */
  public static final long SMALLEST = 8L << 20;

  /**
   * Divides a region: most of it carries process images from A to B.
   *
   * @param region bytes, at least {@link #SMALLEST}
   */
  public static Layout of(long region) {
    if (region < SMALLEST) {
      throw new IllegalArgumentException(
          "a shared region of " + region + " bytes; at least " + SMALLEST);
    }
    int ringABytes = (int) Math.min(Long.highestOneBit(region) / 2, 1 << 30);
    int ringB = RING_A + ringABytes + 0x1000;
    return new Layout(
        region,
        TABLES,
        TABLES_BYTES,
        TABLES + TABLES_BYTES,
        PARKING_BYTES,
        RING_A,
        ringABytes,
        ringB,
        RING_B_BYTES);
  }
}
