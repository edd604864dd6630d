package io.twinkernel.broker.link;

import io.twinkernel.ffi.TwinShared;
import io.twinkernel.ffi.bindings.Twin;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The memory that kernel A and kernel B share: a header page, B's ACPI tables, the pages in which A
 * parks, and a ring each way.
 */
public final class SharedRegion {
  /** "TWINSHR1", TWIN_SHARED_MAGIC in twin.h. */
  static final long MAGIC = 0x315248534e495754L;

  static final int VERSION = Twin.TWIN_SHARED_VERSION();

  /** Which kernel uses the region: the one that made it (A) or the one that it started (B). */
  public enum Side {
    A,
    B
  }

  private final MemorySegment memory;
  private final TwinShared header;
  private final Layout layout;
  private final long instance;

  private SharedRegion(MemorySegment memory, TwinShared header, Layout layout, long instance) {
    this.memory = memory;
    this.header = header;
    this.layout = layout;
    this.instance = instance;
  }

  /**
   * Lays out a region that nobody uses yet; on A.
   *
   * @param instance tells this start of a twin from any other
   */
  public static SharedRegion create(MemorySegment memory, long instance) {
    Layout layout = Layout.of(memory.byteSize());
    var header = new TwinShared(memory);
    var region = new SharedRegion(memory, header, layout, instance);
    region.ring(Side.A).reset();
    region.ring(Side.B).reset();
    header.initialise(
        new TwinShared.Fixed(
            MAGIC,
            VERSION,
            instance,
            layout.region(),
            layout.tables(),
            layout.tablesBytes(),
            layout.parking(),
            layout.parkingBytes(),
            layout.ringA(),
            layout.ringB(),
            layout.ringABytes(),
            layout.ringBBytes()));
    return region;
  }

  /**
   * Opens the region that A laid out; on B.
   *
   * @throws LinkException if it holds anything else than a layout of this version
   */
  public static SharedRegion open(MemorySegment memory) throws LinkException {
    var header = new TwinShared(memory);
    TwinShared.Fixed fixed = header.fixed();
    if (fixed.magic() != MAGIC) {
      throw new LinkException.Incompatible(
          "the shared region does not start with its magic number; is twin.ko given the address"
              + " that A's broker carved?");
    }
    if (fixed.version() != VERSION) {
      throw new LinkException.Incompatible(
          "the shared region has layout version "
              + fixed.version()
              + ", this broker speaks "
              + VERSION
              + "; install the same broker for both kernels");
    }
    if (!header.intact()) {
      throw new LinkException.Corrupt("the header's checksum is wrong");
    }
    var layout =
        new Layout(
            fixed.regionSize(),
            fixed.tablesOffset(),
            fixed.tablesSize(),
            fixed.parkingOffset(),
            fixed.parkingSize(),
            fixed.ringAOffset(),
            fixed.ringASize(),
            fixed.ringBOffset(),
            fixed.ringBSize());
    if (fixed.regionSize() != memory.byteSize() || !layout.equals(Layout.of(memory.byteSize()))) {
      throw new LinkException.Incompatible("the shared region is laid out in another way");
    }
    return new SharedRegion(memory, header, layout, fixed.instance());
  }

  private Ring ring(Side writer) {
    return switch (writer) {
      case A ->
          new Ring(
              memory.asSlice(layout.ringA(), Ring.DATA + layout.ringABytes()), layout.ringABytes());
      case B ->
          new Ring(
              memory.asSlice(layout.ringB(), Ring.DATA + layout.ringBBytes()), layout.ringBBytes());
    };
  }

  /** Starts to exchange messages with the other side. */
  public Link connect(
      Side side, Doorbell doorbell, Link.Receiver receiver, Link.EndListener endListener) {
    Side other = side == Side.A ? Side.B : Side.A;
    var link = new Link(ring(side), ring(other), doorbell, receiver, endListener);
    link.start();
    return link;
  }

  public Layout layout() {
    return layout;
  }

  public long instance() {
    return instance;
  }

  /** Places B's ACPI tables. */
  public void writeTables(byte[] tables) {
    if (tables.length > layout.tablesBytes()) {
      throw new IllegalArgumentException(
          "ACPI tables of " + tables.length + " bytes, room for " + layout.tablesBytes());
    }
    MemorySegment.copy(tables, 0, memory, ValueLayout.JAVA_BYTE, layout.tables(), tables.length);
  }

  public Baton baton() throws LinkException {
    return Baton.of(header.baton());
  }

  /** One atomic step for both kernels; false if the baton was elsewhere. */
  public boolean moveBaton(Baton from, Baton to) {
    return header.moveBaton(from.word(), to.word());
  }

  /** Does what {@link #moveBaton} does, without an effect. */
  public void rehearseBaton() {
    moveBaton(Baton.ABORTED, Baton.ABORTED);
  }

  /** Whether A has left its memory for good. */
  public boolean parked() {
    return header.parked();
  }

  /** Whether that side's kernel has panicked; its module says so as it does. */
  public boolean panicked(Side side) {
    return header.panicked(number(side));
  }

  private static int number(Side side) {
    return side == Side.A ? Twin.TWIN_SIDE_A() : Twin.TWIN_SIDE_B();
  }

  /** That side's broker is alive at a TSC value. */
  public void pulse(Side side, long tsc) {
    header.pulse(number(side), tsc);
  }

  /** The last TSC value at which that side's broker was alive; 0: none yet. */
  public long pulse(Side side) {
    return header.pulse(number(side));
  }

  /** Tells the other kernel what CLOCK_REALTIME (ns) was at a TSC value. */
  public void publishClock(long tsc, long realtime) {
    header.clock(tsc, realtime);
  }

  /**
   * CLOCK_REALTIME (ns) of the other kernel at a TSC value.
   *
   * @param nanosPerTick that its clock goes on with the TSC
   */
  public long realtimeAt(long tsc, double nanosPerTick) {
    return header.clockRealtime() + Math.round((tsc - header.clockTsc()) * nanosPerTick);
  }
}
