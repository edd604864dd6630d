package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Twin;
import io.twinkernel.ffi.bindings.twin_shared;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.zip.CRC32C;

/**
 * The first page of the memory that two kernels share, {@code struct twin_shared} in twin.h. Fields
 * that both kernels change are read and written with acquire, release and compare-and-swap.
 */
public final class TwinShared {
  /** Bytes at the start that are written once, under a checksum. */
  public static final int FIXED_BYTES = Math.toIntExact(twin_shared.apic_id$offset());

  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

  private final MemorySegment memory;

  /**
   * @param memory the mapped region, at least a page
   */
  public TwinShared(MemorySegment memory) {
    this.memory = memory;
  }

  /** What is written once. Offsets and sizes are in bytes from the region's start. */
  public record Fixed(
      long magic,
      int version,
      long instance,
      long regionSize,
      int tablesOffset,
      int tablesSize,
      int parkingOffset,
      int parkingSize,
      int ringAOffset,
      int ringBOffset,
      int ringASize,
      int ringBSize) {}

  /** Clears the page and writes the fixed part with its checksum. */
  public void initialise(Fixed fixed) {
    memory.asSlice(0, twin_shared.sizeof()).fill((byte) 0);
    twin_shared.apic_id(memory, 0, -1);
    twin_shared.apic_id(memory, 1, -1);
    twin_shared.version(memory, fixed.version);
    twin_shared.instance(memory, fixed.instance);
    twin_shared.region_size(memory, fixed.regionSize);
    twin_shared.tables_offset(memory, fixed.tablesOffset);
    twin_shared.tables_size(memory, fixed.tablesSize);
    twin_shared.parking_offset(memory, fixed.parkingOffset);
    twin_shared.parking_size(memory, fixed.parkingSize);
    twin_shared.ring_offset(memory, 0, fixed.ringAOffset);
    twin_shared.ring_offset(memory, 1, fixed.ringBOffset);
    twin_shared.ring_size(memory, 0, fixed.ringASize);
    twin_shared.ring_size(memory, 1, fixed.ringBSize);
    // The magic makes the page valid, so it comes last; the checksum covers it.
    byte[] bytes = fixedBytes();
    putLong(bytes, fixed.magic);
    twin_shared.checksum(memory, checksum(bytes));
    LONG.setRelease(memory, twin_shared.magic$offset(), fixed.magic);
  }

  public Fixed fixed() {
    return new Fixed(
        twin_shared.magic(memory),
        twin_shared.version(memory),
        twin_shared.instance(memory),
        twin_shared.region_size(memory),
        twin_shared.tables_offset(memory),
        twin_shared.tables_size(memory),
        twin_shared.parking_offset(memory),
        twin_shared.parking_size(memory),
        twin_shared.ring_offset(memory, 0),
        twin_shared.ring_offset(memory, 1),
        twin_shared.ring_size(memory, 0),
        twin_shared.ring_size(memory, 1));
  }

  /** Whether the checksum of the fixed part is right. */
  public boolean intact() {
    return checksum(fixedBytes()) == twin_shared.checksum(memory);
  }

  private byte[] fixedBytes() {
    byte[] bytes = memory.asSlice(0, FIXED_BYTES).toArray(ValueLayout.JAVA_BYTE);
    int at = Math.toIntExact(twin_shared.checksum$offset());
    for (int i = 0; i < Integer.BYTES; i++) {
      bytes[at + i] = 0;
    }
    return bytes;
  }

  private static void putLong(byte[] bytes, long value) {
    for (int i = 0; i < Long.BYTES; i++) {
      bytes[i] = (byte) (value >>> (8 * i));
    }
  }

  private static int checksum(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  public long baton() {
    return (long) LONG.getAcquire(memory, twin_shared.baton$offset());
  }

  /** Moves the baton if it still is where the caller believes; one atomic step for both kernels. */
  public boolean moveBaton(long from, long to) {
    return LONG.compareAndSet(memory, twin_shared.baton$offset(), from, to);
  }

  /** Whether A has left its memory for good. */
  public boolean parked() {
    return (int) INT.getAcquire(memory, twin_shared.parked$offset()) == 1;
  }

  /**
   * Whether a kernel's module has said that its kernel panics.
   *
   * @param side TWIN_SIDE_A or TWIN_SIDE_B
   */
  public boolean panicked(int side) {
    long offset = twin_shared.panicked$offset() + (long) side * Integer.BYTES;
    return (int) INT.getAcquire(memory, offset) == Twin.TWIN_PANICKED();
  }

  /** Says what CLOCK_REALTIME (ns) was at a TSC value. */
  public void clock(long tsc, long realtime) {
    LONG.setRelease(memory, twin_shared.clock_tsc$offset(), tsc);
    LONG.setRelease(memory, twin_shared.clock_realtime$offset(), realtime);
  }

  public long clockTsc() {
    return (long) LONG.getAcquire(memory, twin_shared.clock_tsc$offset());
  }

  public long clockRealtime() {
    return (long) LONG.getAcquire(memory, twin_shared.clock_realtime$offset());
  }

  /** A broker says that it is alive, and when (TSC). */
  public void pulse(int side, long tsc) {
    LONG.setRelease(memory, pulseAt(side), tsc);
  }

  /** When that side's broker last said so; 0: it has not yet. */
  public long pulse(int side) {
    return (long) LONG.getAcquire(memory, pulseAt(side));
  }

  private static long pulseAt(int side) {
    return twin_shared.pulse$offset() + (long) side * Long.BYTES;
  }
}
