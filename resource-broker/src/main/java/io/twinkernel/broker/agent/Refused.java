package io.twinkernel.broker.agent;

import io.twinkernel.ffi.SyscallException;

/**
 * A call of the gap that is made before it, on what it is refused for: all of it is done but what
 * it is for.
 */
final class Refused {
  private Refused() {}

  /** What is refused. */
  @FunctionalInterface
  interface Call {
    void run() throws SyscallException;
  }

  static void call(Call call) {
    try {
      call.run();
    } catch (SyscallException e) {
      // As it has to be.
    }
  }
}
