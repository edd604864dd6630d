package io.twinkernel.broker.link;

import io.twinkernel.ffi.bindings.twin_ring;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * One direction of the link: a ring of bytes in memory that both kernels map, with one writer and
 * one reader ({@code struct twin_ring} in twin.h). Positions count bytes since the start and only
 * grow; records are contiguous and start at multiples of {@link #ALIGNMENT}.
 *
 * <p>Whoever goes to sleep says before for what it is to be woken, and its peer rings for nothing
 * else: a position is stored, then the other side's wish is read, with a full barrier between the
 * two on either side, so that one of them always sees the other.
 *
 * <p>Nothing read from the ring is trusted: positions that cannot be are reported as corruption, so
 * that garbage written by a dying kernel ends the link rather than the reader.
 */
final class Ring {
  /** Records are padded to this many bytes. */
  static final int ALIGNMENT = 16;

  /** Offset of data[] in struct twin_ring. */
  static final long DATA = twin_ring.data$offset();

  private static final long WRITTEN = twin_ring.written$offset();
  private static final long ROOM_WANTED = twin_ring.room_wanted$offset();
  private static final long READ = twin_ring.read$offset();
  private static final long DATA_WANTED = twin_ring.data_wanted$offset();
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  private final MemorySegment header;
  private final MemorySegment data;
  private final long capacity;

  /**
   * @param segment header and data of the ring
   * @param capacity bytes of data, a power of two
   */
  Ring(MemorySegment segment, long capacity) {
    this.header = segment.asSlice(0, DATA);
    this.data = segment.asSlice(DATA, capacity);
    this.capacity = capacity;
  }

  long capacity() {
    return capacity;
  }

  /** Forgets what is in the ring; only while nobody else uses it. */
  void reset() {
    LONG.setRelease(header, WRITTEN, 0L);
    LONG.setRelease(header, READ, 0L);
    LONG.setRelease(header, ROOM_WANTED, 0L);
    LONG.setRelease(header, DATA_WANTED, 0L);
  }

  long written() {
    return (long) LONG.getAcquire(header, WRITTEN);
  }

  long read() {
    return (long) LONG.getAcquire(header, READ);
  }

  /** Bytes that can be written now. */
  long space() throws LinkException {
    return capacity - used();
  }

  /** Bytes that wait to be read. */
  long used() throws LinkException {
    long read = read();
    long used = written() - read;
    if (used < 0 || used > capacity || read % ALIGNMENT != 0 || used % ALIGNMENT != 0) {
      throw new LinkException.Corrupt("positions " + read + " + " + used + " of " + capacity);
    }
    return used;
  }

  /** Bytes from a position to the end of the memory, where records cannot go on. */
  long contiguous(long position) {
    return capacity - (position & (capacity - 1));
  }

  /** The memory at a position, up to where it wraps. */
  MemorySegment at(long position, long length) {
    return data.asSlice(position & (capacity - 1), length);
  }

  /** Publishes everything written before the given position. */
  void publish(long position) {
    LONG.setRelease(header, WRITTEN, position);
  }

  /** Gives back everything before the given position to the writer. */
  void consume(long position) {
    LONG.setRelease(header, READ, position);
  }

  /**
   * Says for the writer that it sleeps until the reader has come to a position; the caller looks
   * once more before it sleeps.
   */
  void wantRoom(long position) {
    LONG.setRelease(header, ROOM_WANTED, position);
    VarHandle.fullFence();
  }

  /** Whether a writer sleeps that the reader's way from one position to another is to wake. */
  boolean roomIsWanted(long from, long to) {
    VarHandle.fullFence();
    long wanted = (long) LONG.getAcquire(header, ROOM_WANTED);
    return from < wanted && wanted <= to;
  }

  /**
   * Says for the reader that it sleeps until there is something beyond what it has read; the caller
   * looks once more before it sleeps.
   */
  void wantData() {
    LONG.setRelease(header, DATA_WANTED, read());
    VarHandle.fullFence();
  }

  /** Whether a reader sleeps that the writer's way from one position to another is to wake. */
  boolean dataIsWanted(long from, long to) {
    VarHandle.fullFence();
    long wanted = (long) LONG.getAcquire(header, DATA_WANTED);
    return from <= wanted && wanted < to;
  }
}
