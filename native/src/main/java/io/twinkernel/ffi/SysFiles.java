package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/**
 * Files of sysfs, procfs and cgroupfs, where an errno has a meaning that {@code java.nio} loses:
 * {@code EBUSY} from a CPU's {@code online} is not "an I/O error".
 */
public final class SysFiles {
  private static final Set<Errno> GONE = Set.of(Errno.ENOENT, Errno.ESRCH, Errno.ENODEV);
  private static final int CHUNK = 4096;

  private SysFiles() {}

  /** The whole content, as it is: with the newline at its end that most of these files have. */
  public static String read(String path) throws SyscallException {
    try (Arena arena = Arena.ofConfined();
        Fd file = Fd.open(path, Linux.O_RDONLY())) {
      MemorySegment chunk = arena.allocate(CHUNK);
      byte[] content = new byte[CHUNK];
      int size = 0;
      while (true) {
        int count = file.read(chunk);
        if (count == 0) {
          return new String(content, 0, size, StandardCharsets.UTF_8);
        }
        if (size + count > content.length) {
          content = Arrays.copyOf(content, Math.max(size + count, 2 * content.length));
        }
        MemorySegment.copy(chunk, ValueLayout.JAVA_BYTE, 0, content, size, count);
        size += count;
      }
    }
  }

  /**
   * As {@link #read}; empty where there is no such file, or the process that it tells of has ended,
   * which files of procfs may say only when they are read (ENOENT, ESRCH), or the cgroup (ENODEV).
   */
  public static Optional<String> readIfThere(String path) throws SyscallException {
    try {
      return Optional.of(read(path));
    } catch (SyscallException e) {
      if (GONE.contains(e.errno())) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Writes {@code value} in one {@code write(2)}, as these files want it. No newline is added, and
   * the file is neither made nor shortened.
   *
   * @throws SyscallException naming the path and the value; errno EIO if the kernel took only a
   *     part of it
   */
  public static void write(String path, String value) throws SyscallException {
    try (Arena arena = Arena.ofConfined();
        Fd file = Fd.open(path, Linux.O_WRONLY())) {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      MemorySegment data = arena.allocate(Math.max(bytes.length, 1));
      MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
      long written =
          NativeCall.uninterrupted(
              Linux.__NR_write(), file.number(), data.address(), bytes.length, 0, 0, 0, data);
      if (written < 0) {
        throw SyscallException.of("write", describe(path, value), written);
      }
      if (written != bytes.length) {
        throw new SyscallException(
            "write", describe(path, value) + ", only " + written + " bytes taken", Errno.EIO);
      }
    }
  }

  private static String describe(String path, String value) {
    return path + ", \"" + value.strip() + "\"";
  }
}
