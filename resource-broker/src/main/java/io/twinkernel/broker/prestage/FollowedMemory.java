package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.RemoteMemory.Range;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** The memory of a process of which a copy waits: what the copy lacks of it. */
public final class FollowedMemory implements AutoCloseable {
  private final int pid;
  private final PageScan pages;

  /** What the copy has, or has been told of. */
  private volatile MemoryMap map;

  /** What it has become since. */
  private volatile Optional<MemoryMap> laidOut = Optional.empty();

  private PageScan.Changes changes = new PageScan.Changes(List.of(), List.of());

  private FollowedMemory(int pid, MemoryMap map, PageScan pages) {
    this.pid = pid;
    this.map = map;
    this.pages = pages;
  }

  /**
   * Of a process that may run; {@link #note} or {@link #noteFork} comes next.
   *
   * @param map how the copy's is laid out, or will be
   */
  static FollowedMemory open(int pid, MemoryMap map) throws IOException {
    return new FollowedMemory(pid, map, PageScan.open(pid, map));
  }

  /** Notes which pages the process has. It is stopped, and stays so until {@link #begin}. */
  void note() throws IOException {
    pages.look();
  }

  /** {@link PageScan#noteFork}. */
  void noteFork(int fork) throws IOException {
    pages.noteFork(fork);
  }

  /** Counts what changes from here on. */
  void begin() throws IOException {
    pages.forget();
  }

  /** Whether there is any that other processes may write, too. */
  boolean isShared() {
    return !map.sharedMemory().isEmpty();
  }

  /** Whether the copy's has one stack, and that of such a size. */
  boolean hasStackOf(long kilobytes) {
    return map.stackBytes() == kilobytes << 10;
  }

  /**
   * Another one that shares it, and is not followed, may have written to it: all of it is to be
   * sent. The process is stopped.
   */
  void suspectShared() throws IOException {
    pages.suspect(SharedContent.of(pid, map));
  }

  /** How much of it is to be sent for that reason, in bytes. */
  public long suspectedBytes() {
    return pages.suspectedBytes();
  }

  /**
   * Looks at how it is laid out; the process is stopped.
   *
   * @return why the copy's cannot be laid out so; empty if it is, or {@link #shape} tells how
   */
  Optional<String> look() throws IOException {
    laidOut = Optional.empty();
    if (map.isThatOf(pid)) {
      return Optional.empty();
    }
    MemoryMap now = MemoryMap.read(pid);
    Optional<String> difference = now.differsBeyondReshaping(map);
    if (difference.isEmpty()) {
      laidOut = Optional.of(now);
    }
    return difference;
  }

  /**
   * How it is laid out, if {@link #look} has found that it is otherwise than the copy's: that is to
   * have it before the pages that are collected from here on.
   */
  public Optional<MemoryShape> shape() throws IOException {
    Optional<MemoryMap> found = laidOut;
    if (found.isEmpty()) {
      return Optional.empty();
    }
    laidOut = Optional.empty();
    pages.remap(found.get());
    map = found.get();
    return Optional.of(MemoryShape.of(pid, found.get()));
  }

  /** Counts the pages that changed since the last call; the process is stopped. */
  public long collect() throws IOException {
    changes = pages.next();
    return changes.bytes();
  }

  /** As {@link #collect}, for the last time: should there be another one, it finds these again. */
  public long collectLast() throws IOException {
    changes = pages.look();
    return changes.bytes();
  }

  /** Sends messages of up to a size. */
  public interface Sender {
    /** The most bytes of one message. */
    long limit();

    /** Sends one, which is written in place. */
    void send(int most, Frame frame) throws IOException;
  }

  /** Writes a message and returns its length. */
  @FunctionalInterface
  public interface Frame {
    int fill(MemorySegment room) throws IOException;
  }

  /**
   * Sends what {@link #collect} found.
   *
   * @param runs whether the process does: what it changes meanwhile is found next time
   */
  public void send(Sender sender, boolean runs) throws IOException {
    send(sender, changes.gone(), true, runs);
    send(sender, changes.dirty(), false, runs);
    changes = new PageScan.Changes(List.of(), List.of());
  }

  private void send(Sender sender, List<Range> ranges, boolean zeros, boolean runs)
      throws IOException {
    for (List<Range> frame : PageFrame.split(ranges, sender.limit())) {
      int size = Math.toIntExact(PageFrame.size(frame, zeros));
      sender.send(size, room -> PageFrame.write(room, pid, frame, zeros, runs));
    }
  }

  @Override
  public void close() throws IOException {
    pages.close();
  }
}
