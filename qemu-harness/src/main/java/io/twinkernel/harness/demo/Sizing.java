package io.twinkernel.harness.demo;

/** How much memory a run sets aside, in MiB. */
final class Sizing {

  /** What kernel A is booted with: {@code crashkernel=}. */
  static final int CRASH = 1024;

  /** Below this, kernel A with its userland in memory does not start beside the crash region. */
  static final int LEAST_MEMORY = 2048;

  private Sizing() {}

  /**
   * The region that both kernels share: holds the image of the processes, so it grows with the
   * data; a multiple of 2 MiB.
   */
  static long sharedMegabytes(int dataMegabytes) {
    return 192 + 2L * dataMegabytes;
  }

  /** The most data that a machine can move: the image must fit beside B in the crash region. */
  static int mostData() {
    return 160;
  }
}
