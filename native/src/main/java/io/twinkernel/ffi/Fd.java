package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.pollfd;
import io.twinkernel.ffi.bindings.timespec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An open file descriptor. Memory passed to it is native and is not kept.
 *
 * <p>After {@link #close} every call fails with EBADF. Closing does not wake a thread that is
 * blocked in a call on the same descriptor; the owner joins it first.
 */
public final class Fd implements AutoCloseable {
  private static final int CLOSED = -1;
  private static final int NEW_FILE_MODE = 0600;

  private final AtomicInteger number;
  private final String label;

  Fd(long number, String label) {
    this.number = new AtomicInteger((int) number);
    this.label = label;
  }

  /**
   * {@code open(2)}, always with O_CLOEXEC; a file that O_CREAT makes is its owner's alone.
   *
   * @param flags O_* of {@link Linux}
   */
  public static Fd open(String path, int flags) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(path);
      long result =
          NativeCall.uninterrupted(
              Linux.__NR_open(),
              name.address(),
              flags | Linux.O_CLOEXEC(),
              NEW_FILE_MODE,
              0,
              0,
              0,
              name);
      if (result < 0) {
        throw SyscallException.of("open", path + ", " + OpenFlags.describe(flags), result);
      }
      return new Fd(result, path);
    }
  }

  /** The descriptor's number in this process; -1 once closed. */
  public int number() {
    return number.get();
  }

  /** What it was opened from, for messages. */
  String label() {
    return label;
  }

  /**
   * {@code read(2)}, again if a signal interrupts it.
   *
   * @return how many bytes were read into the start of {@code buffer}; 0 at the end of the file
   */
  public int read(MemorySegment buffer) throws SyscallException {
    return transfer("read", Linux.__NR_read(), buffer);
  }

  /**
   * As {@link #read(MemorySegment)}, of what does not wait (O_NONBLOCK).
   *
   * @return empty if there is nothing now (EAGAIN), or nothing that could have anything (ENODEV)
   */
  public OptionalInt readNow(MemorySegment buffer) throws SyscallException {
    long result = move(Linux.__NR_read(), buffer);
    return result == -Errno.EAGAIN.number() || result == -Errno.ENODEV.number()
        ? OptionalInt.empty()
        : OptionalInt.of(moved("read", buffer, result));
  }

  /**
   * One {@code write(2)}, again if a signal interrupts it before anything was written.
   *
   * @return how many bytes from the start of {@code data} were written
   */
  public int write(MemorySegment data) throws SyscallException {
    return transfer("write", Linux.__NR_write(), data);
  }

  /**
   * {@code pread(2)}, again if a signal interrupts it.
   *
   * @param offset in the file; an address where the file is a process's memory
   * @return how many bytes were read into the start of {@code buffer}; 0 at the end of the file
   */
  public int read(MemorySegment buffer, long offset) throws SyscallException {
    return transfer("pread", Linux.__NR_pread64(), buffer, offset);
  }

  /** One {@code pwrite(2)}, again if a signal interrupts it; returns how many bytes it wrote. */
  public int write(MemorySegment data, long offset) throws SyscallException {
    return transfer("pwrite", Linux.__NR_pwrite64(), data, offset);
  }

  /** All of it, by as many {@link #write(MemorySegment, long)} as that takes. */
  public void writeAll(MemorySegment data, long offset) throws SyscallException {
    long done = 0;
    while (done < data.byteSize()) {
      done += write(data.asSlice(done), offset + done);
    }
  }

  /**
   * {@code lseek(2)}.
   *
   * @param whence SEEK_*
   * @return the new offset from the file's start
   */
  public long seek(long offset, int whence) throws SyscallException {
    long result = NativeCall.system(Linux.__NR_lseek(), number.get(), offset, whence, 0);
    if (result < 0) {
      throw SyscallException.of("lseek", label + ", " + offset + ", " + whence, result);
    }
    return result;
  }

  private int transfer(String call, int systemCall, MemorySegment memory, long offset)
      throws SyscallException {
    long size = memory.byteSize();
    long result =
        NativeCall.uninterrupted(
            systemCall, number.get(), memory.address(), size, offset, 0, 0, memory);
    if (result < 0) {
      throw SyscallException.of(call, label + ", " + size + " bytes at " + offset, result);
    }
    return (int) result;
  }

  private int transfer(String call, int systemCall, MemorySegment memory) throws SyscallException {
    return moved(call, memory, move(systemCall, memory));
  }

  private long move(int systemCall, MemorySegment memory) {
    return NativeCall.uninterrupted(
        systemCall, number.get(), memory.address(), memory.byteSize(), 0, 0, 0, memory);
  }

  private int moved(String call, MemorySegment memory, long result) throws SyscallException {
    if (result < 0) {
      throw SyscallException.of(call, label + ", " + memory.byteSize() + " bytes", result);
    }
    // Linux moves at most 2 GiB - 4 KiB in one call (MAX_RW_COUNT), so that the count is an int.
    return (int) result;
  }

  /**
   * {@code ioctl(2)} with a structure; a signal's EINTR is passed on.
   *
   * @return what the driver returned, 0 or more
   */
  public int ioctl(long request, MemorySegment argument) throws SyscallException {
    long result =
        NativeCall.system(
            Linux.__NR_ioctl(), number.get(), request, argument.address(), 0, 0, 0, argument);
    if (result < 0) {
      throw SyscallException.of("ioctl", label + ", 0x" + Long.toHexString(request), result);
    }
    return (int) result;
  }

  /**
   * Adds {@code ioctl(2)} with a structure of zeros.
   *
   * @param length of the structure
   * @return where it will be
   */
  public int ioctl(CallBatch batch, long request, int length) {
    int place = batch.room(length);
    batch.add(
        "ioctl", label, Linux.__NR_ioctl(), number.get(), request, batch.address(place), 0, 0, 0);
    return place;
  }

  /**
   * Adds {@code pread(2)} from the start of the file.
   *
   * @param place receives it
   * @return which call it is; its result is how many bytes were read
   */
  public int read(CallBatch batch, int place, int length) {
    return batch.add(
        "pread", label, Linux.__NR_pread64(), number.get(), batch.address(place), length, 0, 0, 0);
  }

  /**
   * Adds {@code lseek(2)}.
   *
   * @param whence SEEK_*
   * @return which call it is; its result is the new offset from the file's start
   */
  public int seek(CallBatch batch, long offset, int whence) {
    return batch.add("lseek", label, Linux.__NR_lseek(), number.get(), offset, whence, 0, 0, 0);
  }

  /**
   * {@code mmap(2)}. The mapping stays when the descriptor is closed.
   *
   * @param length in bytes
   * @param protection PROT_*
   * @param flags MAP_*
   * @param offset in the file, in bytes, a multiple of the page size
   * @param arena closing it unmaps
   */
  public MemorySegment mmap(long length, int protection, int flags, long offset, Arena arena)
      throws SyscallException {
    return Mappings.map(this, length, protection, flags, offset, arena);
  }

  /**
   * Waits with {@code ppoll(2)}, as long as it takes if signals interrupt it.
   *
   * @param events POLL* to wait for; POLLERR, POLLHUP and POLLNVAL are always waited for
   * @param timeout zero or less: do not wait
   * @return POLL* that are there; 0: none came in time
   */
  public int poll(int events, Duration timeout) throws SyscallException {
    int open = number.get();
    if (open == CLOSED) {
      // ppoll would wait for nothing: it passes over negative numbers.
      throw new SyscallException("poll", label, Errno.EBADF);
    }
    try (Arena arena = Arena.ofConfined()) {
      long pollSize = pollfd.layout().byteSize();
      MemorySegment memory = arena.allocate(pollSize + timespec.layout().byteSize(), 8);
      MemorySegment poll = memory.asSlice(0, pollSize);
      MemorySegment left = memory.asSlice(pollSize);
      pollfd.fd(poll, open);
      pollfd.events(poll, (short) events);
      if (!timeout.isNegative()) {
        timespec.tv_sec(left, timeout.getSeconds());
        timespec.tv_nsec(left, timeout.getNano());
      }
      // The kernel leaves in `left` what remains of the time, so that trying again is exact.
      long result =
          NativeCall.uninterrupted(
              Linux.__NR_ppoll(), poll.address(), 1, left.address(), 0, 0, 0, memory);
      if (result < 0) {
        throw SyscallException.of("poll", label + ", " + timeout, result);
      }
      return Short.toUnsignedInt(pollfd.revents(poll));
    }
  }

  /** Closes the descriptor; a second time does nothing. */
  @Override
  public void close() throws SyscallException {
    int open = number.getAndSet(CLOSED);
    if (open == CLOSED) {
      return;
    }
    long result = NativeCall.system(Linux.__NR_close(), open, 0, 0, 0);
    // EINTR too means that Linux has let go of the number: never close it again.
    if (result < 0 && result != -Errno.EINTR.number()) {
      throw SyscallException.of("close", label, result);
    }
  }

  @Override
  public String toString() {
    return label + " (" + number.get() + ")";
  }
}
