package io.twinkernel.broker.acpi;

/**
 * A range of addresses that a PCI host bridge passes on to its bus.
 *
 * @param kind memory or I/O ports
 * @param prefetchable whether reads have no side effects; always false for I/O ports
 * @param start first address, inclusive
 * @param end last address, inclusive, as in {@code /proc/iomem}
 */
public record Window(Kind kind, boolean prefetchable, long start, long end) {

  /** Which address space a window lies in. */
  public enum Kind {
    /** Physical memory addresses. */
    MEM,
    /** I/O ports, 16 bits. */
    IO
  }

  private static final long LAST_PORT = 0xffffL;
  private static final long LAST_32_BIT = 0xffff_ffffL;

  /** Refuses ranges that are empty, negative, or impossible for their kind. */
  public Window {
    if (start < 0 || end < start) {
      throw new IllegalArgumentException("window " + range(start, end) + " is not a range");
    }
    if (kind == Kind.IO && (end > LAST_PORT || prefetchable)) {
      throw new IllegalArgumentException(
          "window " + range(start, end) + " is not a range of I/O ports");
    }
  }

  /** A memory window that may not be prefetched. */
  public static Window memory(long start, long end) {
    return new Window(Kind.MEM, false, start, end);
  }

  /** A prefetchable memory window. */
  public static Window prefetchable(long start, long end) {
    return new Window(Kind.MEM, true, start, end);
  }

  /** A window of I/O ports. */
  public static Window ports(long start, long end) {
    return new Window(Kind.IO, false, start, end);
  }

  /** Size in bytes or ports. */
  public long size() {
    return end - start + 1;
  }

  /** Whether the window reaches beyond 4 GiB, so that only a 64-bit descriptor can say it. */
  public boolean wide() {
    return end > LAST_32_BIT;
  }

  @Override
  public String toString() {
    return (kind == Kind.IO ? "io " : prefetchable ? "pref " : "mem ") + range(start, end);
  }

  private static String range(long start, long end) {
    return "0x" + Long.toHexString(start) + "-0x" + Long.toHexString(end);
  }
}
