package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** {@code kexec_file_load(2)}, which the C library does not wrap. */
public final class Kexec {
  private static final int NO_FILE = -1;

  private Kexec() {}

  /**
   * Loads a kernel with its initial RAM disk. Source: {@code kernel/kexec_file.c}.
   *
   * @param kernel a bzImage, open for reading
   * @param flags KEXEC_FILE_*; KEXEC_FILE_ON_CRASH puts it into the crash region
   */
  public static void fileLoad(Fd kernel, Fd initrd, String commandLine, long flags)
      throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment line = arena.allocateFrom(commandLine);
      long result =
          NativeCall.uninterrupted(
              Linux.__NR_kexec_file_load(),
              kernel.number(),
              initrd.number(),
              line.byteSize(),
              line.address(),
              flags,
              0,
              line);
      if (result < 0) {
        throw SyscallException.of(
            "kexec_file_load",
            kernel.label() + ", " + initrd.label() + ", \"" + commandLine + "\", " + text(flags),
            result);
      }
    }
  }

  /**
   * Drops the loaded image.
   *
   * @param flags KEXEC_FILE_ON_CRASH for the one in the crash region, else 0
   */
  public static void unload(long flags) throws SyscallException {
    long all = flags | Linux.KEXEC_FILE_UNLOAD();
    long result =
        NativeCall.uninterrupted(
            Linux.__NR_kexec_file_load(), NO_FILE, NO_FILE, 0, 0, all, 0, MemorySegment.NULL);
    if (result < 0) {
      throw SyscallException.of("kexec_file_load", text(all), result);
    }
  }

  private static String text(long flags) {
    StringBuilder text = new StringBuilder();
    long left = append(text, flags, Linux.KEXEC_FILE_UNLOAD(), "KEXEC_FILE_UNLOAD");
    left = append(text, left, Linux.KEXEC_FILE_ON_CRASH(), "KEXEC_FILE_ON_CRASH");
    left = append(text, left, Linux.KEXEC_FILE_NO_INITRAMFS(), "KEXEC_FILE_NO_INITRAMFS");
    if (left != 0 || text.isEmpty()) {
      text.append(text.isEmpty() ? "" : "|").append("0x").append(Long.toHexString(left));
    }
    return text.toString();
  }

  private static long append(StringBuilder text, long flags, long flag, String name) {
    if ((flags & flag) == 0) {
      return flags;
    }
    text.append(text.isEmpty() ? "" : "|").append(name);
    return flags & ~flag;
  }
}
