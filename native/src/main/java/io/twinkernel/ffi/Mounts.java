package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Mounts file systems. */
public final class Mounts {
  private Mounts() {}

  /**
   * {@code mount(2)}.
   *
   * @param flags MS_*
   * @param options the file system's own, separated by commas; may be empty
   */
  public static void mount(String source, String target, String type, long flags, String options)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocateFrom(source);
      long result =
          NativeCall.system(
              Linux.__NR_mount(),
              from.address(),
              arena.allocateFrom(target).address(),
              arena.allocateFrom(type).address(),
              flags,
              arena.allocateFrom(options).address(),
              0,
              from);
      if (result < 0) {
        throw SyscallException.of(
            "mount", source + ", " + target + ", " + type + ", \"" + options + "\"", result);
      }
    }
  }

  /**
   * {@code umount2(2)}.
   *
   * @param flags MNT_*, or 0
   */
  public static void unmount(String target, int flags) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(target);
      long result =
          NativeCall.system(Linux.__NR_umount2(), path.address(), flags, 0, 0, 0, 0, path);
      if (result < 0) {
        throw SyscallException.of("umount", target, result);
      }
    }
  }
}
