package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.MemorySegment;

/** Holds a mounted file system still. Source: fs/ioctl.c, fs/super.c. */
public final class FileSystems {
  private FileSystems() {}

  /**
   * {@code ioctl(FIFREEZE)}: writes out what is dirty and has every write wait from then on.
   *
   * @param path in the file system
   * @throws SyscallException EBUSY if it is frozen already, EOPNOTSUPP if it cannot be
   */
  public static void freeze(String path) throws SyscallException {
    control("FIFREEZE", Linux.FIFREEZE(), path);
  }

  /**
   * {@code ioctl(FITHAW)}: lets writes go on.
   *
   * @param path in the file system
   * @throws SyscallException EINVAL if it is not frozen
   */
  public static void thaw(String path) throws SyscallException {
    control("FITHAW", Linux.FITHAW(), path);
  }

  /** As {@link #thaw}; where it is not frozen, nothing. */
  public static void thawIfFrozen(String path) throws SyscallException {
    try {
      thaw(path);
    } catch (SyscallException e) {
      if (!e.errno().equals(Errno.EINVAL)) {
        throw e;
      }
    }
  }

  /**
   * {@code syncfs(2)}.
   *
   * @param path in the file system
   */
  public static void sync(String path) throws SyscallException {
    try (Fd file = Fd.open(path, Linux.O_RDONLY())) {
      long result = NativeCall.system(Linux.__NR_syncfs(), file.number(), 0, 0, 0);
      if (result < 0) {
        throw SyscallException.of("syncfs", path, result);
      }
    }
  }

  private static void control(String name, long request, String path) throws SyscallException {
    try (Fd file = Fd.open(path, Linux.O_RDONLY())) {
      long result =
          NativeCall.system(
              Linux.__NR_ioctl(), file.number(), request, 0, 0, 0, 0, MemorySegment.NULL);
      if (result < 0) {
        throw SyscallException.of(name, path, result);
      }
    }
  }
}
