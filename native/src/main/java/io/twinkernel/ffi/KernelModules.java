package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Loads and unloads kernel modules. Source: {@code kernel/module/main.c}. */
public final class KernelModules {
  private KernelModules() {}

  /**
   * {@code finit_module(2)}.
   *
   * @param module a .ko file, open for reading
   * @param parameters {@code name=value} separated by spaces; may be empty
   * @param flags MODULE_INIT_*
   */
  public static void load(Fd module, String parameters, int flags) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(parameters);
      long result =
          NativeCall.uninterrupted(
              Linux.__NR_finit_module(), module.number(), text.address(), flags, 0, 0, 0, text);
      if (result < 0) {
        throw SyscallException.of(
            "finit_module", module.label() + ", \"" + parameters + "\"", result);
      }
    }
  }

  /** {@code delete_module(2)}, without waiting for users of the module to go. */
  public static void unload(String name) throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      long result =
          NativeCall.system(
              Linux.__NR_delete_module(), text.address(), Linux.O_NONBLOCK(), 0, 0, 0, 0, text);
      if (result < 0) {
        throw SyscallException.of("delete_module", name, result);
      }
    }
  }
}
