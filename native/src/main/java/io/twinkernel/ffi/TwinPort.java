package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Twin;
import io.twinkernel.ffi.bindings.twin_frames;
import io.twinkernel.ffi.bindings.twin_port;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * An interface of this kernel in the service's network, as {@link TwinDevice#port} gives it. It can
 * be silent while its driver works on. The errnos are those of twin.h.
 */
public final class TwinPort {
  /** Room for what {@link #take} takes, in bytes; the largest frame that was merged fits. */
  public static final int ROOM = 1 << 19;

  private final TwinDevice device;
  private final int number;

  /** What an interface does. */
  public enum Mode {
    /** What it did before it was a port. */
    FREE(Twin.TWIN_PORT_FREE()),
    /** It receives and sends. */
    OPEN(Twin.TWIN_PORT_OPEN()),
    /** It sends nothing, and keeps what it receives. */
    HOLD(Twin.TWIN_PORT_HOLD()),
    /** It sends nothing and receives nothing. */
    DISCARD(Twin.TWIN_PORT_DISCARD()),
    /** As {@link #HOLD}, but only of what is sent to it alone: others receive the rest, too. */
    LEAVE(Twin.TWIN_PORT_LEAVE()),
    /** As {@link #OPEN}, and switches and neighbours are told that its addresses are here. */
    ANNOUNCE(Twin.TWIN_PORT_ANNOUNCE()),
    /**
     * As {@link #OPEN}, but it keeps TCP segments that begin or end a connection. Those that there
     * are go on; {@link #HOLD} has what was kept as the first, {@link #OPEN} receives it.
     */
    STEADY(Twin.TWIN_PORT_STEADY());

    private final int value;

    Mode(int value) {
      this.value = value;
    }
  }

  TwinPort(TwinDevice device, int number) {
    this.device = device;
    this.number = number;
  }

  /**
   * From now on. When it is silent, nothing that came in is on its way to a socket any more; in
   * {@link Mode#STEADY} nothing that begins or ends a connection.
   */
  public void set(Mode mode) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment port = arena.allocate(twin_port.layout());
      twin_port.size(port, (int) port.byteSize());
      twin_port.interface_(port, number);
      twin_port.mode(port, mode.value);
      device.call(
          "TWIN_IOC_SET_PORT", Twin.TWIN_IOC_SET_PORT(), port, "interface " + number + ", " + mode);
    }
  }

  /**
   * Waits until frames have come in, and takes them; {@link #give} of another kernel's port knows
   * what they are.
   *
   * @param room {@link #ROOM} bytes, at a multiple of 8
   * @return empty if the port is not in {@link Mode#HOLD} or {@link Mode#LEAVE}, or not any more
   */
  public Optional<byte[]> take(MemorySegment room) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment frames = frames(arena, room);
      device.call(
          "TWIN_IOC_TAKE_FRAMES", Twin.TWIN_IOC_TAKE_FRAMES(), frames, "interface " + number);
      return Optional.of(
          room.asSlice(0, twin_frames.length(frames)).toArray(ValueLayout.JAVA_BYTE));
    } catch (SyscallException e) {
      if (e.errno().equals(Errno.ENOENT)) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** Has frames come in here that {@link #take} took. */
  public void give(byte[] taken) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(Math.max(taken.length, 1), Long.BYTES);
      MemorySegment.copy(taken, 0, copy, ValueLayout.JAVA_BYTE, 0, taken.length);
      MemorySegment frames = frames(arena, copy.asSlice(0, taken.length));
      String arguments = "interface " + number + ", " + taken.length + " bytes";
      device.call("TWIN_IOC_GIVE_FRAMES", Twin.TWIN_IOC_GIVE_FRAMES(), frames, arguments);
    }
  }

  private MemorySegment frames(Arena arena, MemorySegment room) {
    MemorySegment frames = arena.allocate(twin_frames.layout());
    twin_frames.size(frames, (int) frames.byteSize());
    twin_frames.interface_(frames, number);
    twin_frames.address(frames, room.address());
    twin_frames.length(frames, room.byteSize());
    return frames;
  }
}
