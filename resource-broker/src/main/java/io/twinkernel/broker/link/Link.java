package io.twinkernel.broker.link;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Messages between the brokers of two kernels, over one {@link Ring} each way.
 *
 * <p>A record is a header of four little-endian 32-bit words (payload length, type, CRC-32C of
 * length, type and payload, low bits of its position) and the payload, padded to 16 bytes. Of a
 * payload above 64 KiB, which can only be part of a file, the CRC covers the length alone: it never
 * leaves this machine's memory, and summing it up on both sides would cost more than copying it. A
 * record never wraps: where it does not fit before the end of the ring, a record of type 0 fills
 * the rest. Messages arrive once and in order, on one thread of the link; a sender waits while the
 * ring is full.
 */
public final class Link implements AutoCloseable {
  private static final int HEADER = 16;
  private static final int FILLER = 0;
  private static final int LONGEST_SUMMED = 1 << 16;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  private static final Duration LISTEN = Duration.ofSeconds(1);

  /** Takes one message; the payload is valid only during the call. */
  @FunctionalInterface
  public interface Receiver {
    void receive(int type, MemorySegment payload) throws IOException;
  }

  /** Writes a message's payload in place and returns how many bytes of it are used. */
  @FunctionalInterface
  public interface Payload {
    int fill(MemorySegment room) throws IOException;
  }

  /** Told once, when the link has ended, with the reason. */
  @FunctionalInterface
  public interface EndListener {
    void ended(IOException reason);
  }

  private final Ring outgoing;
  private final Ring incoming;
  private final Polling doorbell;
  private final ReentrantLock sending = new ReentrantLock();
  private final ReentrantLock rung = new ReentrantLock();
  private final Condition rang = rung.newCondition();
  private final Thread listener;
  private volatile @Nullable IOException end;

  /** Of the outgoing ring: up to here it was looked whether the reader is to be woken. */
  private final AtomicLong announced;

  /** Of the outgoing ring: what the sender that waits for least waits for; guarded by rung. */
  private long roomWanted;

  Link(
      Ring outgoing, Ring incoming, Doorbell doorbell, Receiver receiver, EndListener endListener) {
    this(outgoing, incoming, doorbell, receiver, endListener, LISTEN);
  }

  /**
   * @param listen how long it sleeps at most: what the other side did not ring for is found then
   */
  Link(
      Ring outgoing,
      Ring incoming,
      Doorbell doorbell,
      Receiver receiver,
      EndListener endListener,
      Duration listen) {
    this.outgoing = outgoing;
    this.incoming = incoming;
    this.doorbell = new Polling(doorbell, incoming, outgoing);
    this.announced = new AtomicLong(outgoing.written());
    this.listener =
        Thread.ofPlatform()
            .name("link")
            .daemon()
            .unstarted(() -> listen(receiver, endListener, listen));
  }

  void start() {
    listener.start();
  }

  /** The largest payload that one message carries, in bytes. */
  public int limit() {
    return Math.toIntExact(outgoing.capacity() / 4 - HEADER);
  }

  /**
   * Sends one message.
   *
   * @param type any number but 0
   */
  public void send(int type, byte[] payload) throws IOException {
    send(
        type,
        payload.length,
        room -> {
          MemorySegment.copy(payload, 0, room, ValueLayout.JAVA_BYTE, 0, payload.length);
          return payload.length;
        });
  }

  /**
   * Sends one message that is written straight into the ring.
   *
   * @param most bytes of room that the payload needs at most
   * @throws LinkException if the link has ended or the message is larger than {@link #limit()}
   * @throws IOException what {@code payload} throws; then nothing is sent
   */
  public void send(int type, int most, Payload payload) throws IOException {
    post(type, most, payload);
    ring();
  }

  /** As {@link #send}, but the other side need not look before the next message that is sent. */
  public void post(int type, int most, Payload payload) throws IOException {
    if (most > limit()) {
      throw new LinkException.TooLarge(most, limit());
    }
    sending.lock();
    try {
      long start = reserve(HEADER + padded(most));
      MemorySegment record = outgoing.at(start, HEADER + padded(most));
      int length = payload.fill(record.asSlice(HEADER, most));
      finish(record, start, type, length);
      outgoing.publish(start + HEADER + padded(length));
    } catch (IndexOutOfBoundsException e) {
      // This side's own position is in shared memory, too.
      throw new LinkException.Corrupt("no record can be written: " + e.getMessage());
    } finally {
      sending.unlock();
    }
  }

  private static void finish(MemorySegment record, long position, int type, int length) {
    record.set(INT, 0, length);
    record.set(INT, 4, type);
    record.set(INT, 8, checksum(record, length));
    record.set(INT, 12, (int) position);
  }

  /** Makes the other side look at what was posted, if it sleeps. */
  public void ring() throws IOException {
    long written = outgoing.written();
    long from = announced.getAndSet(written);
    // If nothing is new, another sender has announced this message with its own.
    if (from < written && outgoing.dataIsWanted(from, written)) {
      doorbell.ring();
    }
  }

  /** Waits for so much contiguous room and returns where it starts. */
  private long reserve(long bytes) throws IOException {
    while (true) {
      checkOpen();
      long position = outgoing.written();
      long rest = outgoing.contiguous(position);
      long needed = rest < bytes ? rest + bytes : bytes;
      if (outgoing.space() < needed) {
        // What was posted so far must be read to make room.
        ring();
        awaitSpace(needed, Math.max(needed, outgoing.capacity() / 2));
      } else if (rest < bytes) {
        MemorySegment filler = outgoing.at(position, rest);
        finish(filler, position, FILLER, Math.toIntExact(rest - HEADER));
        outgoing.publish(position + rest);
      } else {
        return position;
      }
    }
  }

  /**
   * Has this side look for messages all the time, rather than wait for the doorbell, and send its
   * own without one; the other side must do the same. It costs each side a CPU. That the other
   * kernel has stopped is noticed only when it is over.
   *
   * <p>To be called by a {@link Receiver}: otherwise it begins only when something comes.
   *
   * @param duration at most so long; zero ends it
   */
  public void poll(Duration duration) {
    doorbell.poll(duration);
  }

  /** Waits until the other side has taken all that was sent. */
  public void flush() throws IOException {
    ring();
    awaitSpace(outgoing.capacity(), outgoing.capacity());
  }

  /**
   * @param needed bytes
   * @param wanted bytes that the reader is to make room for before it rings, no fewer
   */
  private void awaitSpace(long needed, long wanted) throws IOException {
    rung.lock();
    try {
      while (end == null && outgoing.space() < needed) {
        long position = outgoing.written() - outgoing.capacity() + wanted;
        boolean first = roomWanted <= outgoing.read() || position < roomWanted;
        if (first) {
          roomWanted = position;
          outgoing.wantRoom(position);
        }
        // What was read before the wish was seen rings no bell.
        if (!first || outgoing.space() < needed) {
          rang.awaitUninterruptibly();
        }
      }
    } finally {
      rung.unlock();
    }
    checkOpen();
  }

  private void checkOpen() throws IOException {
    IOException reason = end;
    if (reason != null) {
      throw reason;
    }
  }

  private void listen(Receiver receiver, EndListener endListener, Duration most) {
    try {
      while (end == null) {
        // What was sent before this side listened rings no bell: look first, then wait.
        if (!drain(receiver)) {
          incoming.wantData();
          if (incoming.used() == 0) {
            doorbell.await(most);
          }
        }
        wakeSenders();
      }
    } catch (IOException e) {
      end(e);
    } catch (IndexOutOfBoundsException e) {
      end(new LinkException.Corrupt("no record can be read: " + e.getMessage()));
    } catch (RuntimeException e) {
      end(new IOException("the link's receiver failed", e));
    }
    IOException reason = end;
    if (reason != null) {
      endListener.ended(reason);
    }
  }

  private void wakeSenders() {
    rung.lock();
    try {
      rang.signalAll();
    } finally {
      rung.unlock();
    }
  }

  /** Delivers what is there; false if nothing was. */
  private boolean drain(Receiver receiver) throws IOException {
    boolean any = false;
    while (end == null && incoming.used() > 0) {
      long position = incoming.read();
      long rest = Math.min(incoming.used(), incoming.contiguous(position));
      MemorySegment record = incoming.at(position, rest);
      int length = record.get(INT, 0);
      if (length < 0
          || HEADER + padded(length) > rest
          || record.get(INT, 12) != (int) position
          || record.get(INT, 8) != checksum(record, length)) {
        throw new LinkException.Corrupt("a damaged record at " + position);
      }
      int type = record.get(INT, 4);
      if (type != FILLER) {
        receiver.receive(type, record.asSlice(HEADER, length).asReadOnly());
      }
      long next = position + HEADER + padded(length);
      incoming.consume(next);
      if (incoming.roomIsWanted(position, next)) {
        doorbell.ring();
      }
      any = true;
    }
    return any;
  }

  private static int checksum(MemorySegment record, int length) {
    var crc = new CRC32C();
    crc.update(record.asSlice(0, 8).asByteBuffer());
    if (record.get(INT, 4) != FILLER && length <= LONGEST_SUMMED) {
      crc.update(record.asSlice(HEADER, length).asByteBuffer());
    }
    return (int) crc.getValue();
  }

  private static long padded(long length) {
    return (length + Ring.ALIGNMENT - 1) & -Ring.ALIGNMENT;
  }

  private void end(IOException reason) {
    if (end == null) {
      end = reason;
    }
    wakeSenders();
  }

  /** Waits until the listener has ended, so that the memory can be unmapped. */
  public void join() throws InterruptedException {
    listener.join();
  }

  /** There is nobody at the other end any more: who waits for room or sends learns that. */
  public void giveUp(LinkException.PeerGone reason) {
    end(reason);
  }

  /** Stops listening; messages on their way are not delivered. */
  @Override
  public void close() {
    end(new LinkException.Closed());
  }
}
