package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Functions of a few instructions that neither Java nor the C library has. */
final class MachineCode {
  private MachineCode() {}

  /**
   * Puts one into a page of its own, for good.
   *
   * @param purpose what cannot be done without it
   * @param code position-independent; a function of the System V ABI
   */
  static MemorySegment load(String purpose, byte[] code) {
    try {
      MemorySegment page = Mappings.anonymous(code.length, Arena.global());
      page.copyFrom(MemorySegment.ofArray(code));
      // Never writable and executable at once.
      Mappings.protect(page, Linux.PROT_READ() | Linux.PROT_EXEC());
      return page;
    } catch (SyscallException refused) {
      throw new IllegalStateException(
          "cannot "
              + purpose
              + ": no executable page to be had; does a security policy forbid it for this process?",
          refused);
    }
  }
}
