package io.twinkernel.harness.demo;

/** How much memory a run sets aside, in MiB. */
final class Sizing {

  /** Below this, kernel A with its userland in memory does not start beside the crash region. */
  static final int LEAST_MEMORY = 2048;

  /** What both kernels share: images of processes pass through it, they do not stay in it. */
  static final int SHARED = 64;

  /** Kernel B with its userland in memory, the shared region included, before any process. */
  private static final int WITHOUT_DATA = 640;

  /** What the image layer "workloads" takes, as files and as processes. */
  private static final int WORKLOADS = 192;

  /** What the image layer "postgres" takes, as files and as processes, which go over as images. */
  private static final int POSTGRES = 192;

  private static final int ROUND = 64;

  private Sizing() {}

  /**
   * What kernel A is booted with, {@code crashkernel=}: in B the data is there twice for a while,
   * as image and as process.
   */
  static int crash(int dataMegabytes) {
    return (WITHOUT_DATA + 2 * dataMegabytes + ROUND - 1) / ROUND * ROUND;
  }

  static int crash(RunPlan plan) {
    return crash(plan.megabytes())
        + (plan.workloads() ? WORKLOADS : 0)
        + (plan.postgres() ? POSTGRES : 0);
  }

  /**
   * The most data that a machine can move. A crash region above 896 MiB does not fit below 2 GiB
   * for every place at which kernel A may find itself: it chooses one at random.
   */
  static int mostData() {
    return 128;
  }
}
