package io.twinkernel.ffi;

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

  private static final MemorySegment FUNCTION =
      MachineCode.load("read the time stamp counter", CODE);

  private Tsc() {}

  /** Ticks since the machine was reset; the kernel's {@code tsc_khz} a millisecond. */
  public static long read() {
    return NativeCall.function(FUNCTION);
  }
}
