package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The CPU's time stamp counter: the one clock that both kernels of an upgrade share.
 *
 * <p>Java has no intrinsic for it, so {@code rdtsc} is called in a page of its own.
 */
public final class Tsc {
  /** {@code rdtsc; shl rdx, 32; or rax, rdx; ret} (Intel SDM volume 2). */
  private static final byte[] CODE = {
    0x0f, 0x31, 0x48, (byte) 0xc1, (byte) 0xe2, 0x20, 0x48, 0x09, (byte) 0xd0, (byte) 0xc3
  };

  private static final MemorySegment FUNCTION = load();

  private Tsc() {}

  /** Ticks since the machine was reset; the kernel's {@code tsc_khz} a millisecond. */
  public static long read() {
    return NativeCall.function(FUNCTION);
  }

  private static MemorySegment load() {
    try {
      MemorySegment page = Mappings.anonymous(CODE.length, Arena.global());
      page.copyFrom(MemorySegment.ofArray(CODE));
      // Never writable and executable at once.
      Mappings.protect(page, Linux.PROT_READ() | Linux.PROT_EXEC());
      return page;
    } catch (SyscallException refused) {
      throw new IllegalStateException(
          "cannot read the time stamp counter: no executable page to be had; does a security"
              + " policy forbid it for this process?",
          refused);
    }
  }
}
