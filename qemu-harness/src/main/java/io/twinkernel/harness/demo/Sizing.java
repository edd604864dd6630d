package io.twinkernel.harness.demo;

/** How much memory a run sets aside, in MiB. */
final class Sizing {

  /** Below this, kernel A with its userland in memory does not start beside the crash region. */
  static final int LEAST_MEMORY = 2048;

  /** What both kernels share: images of processes pass through it, they do not stay in it. */
  static final int SHARED = 64;

  /** Kernel B with its userland in memory, the shared region included, before any process. */
  private static final int WITHOUT_DATA = 640;

  /** For more data than this kernel A lends B memory. */
  private static final int DATA_IN_CRASH = 64;

  /** The machine, for that much data or less. */
  private static final int USUAL_MEMORY = 3072;

  /** Data is there as process and as images, in both kernels, and a process is larger than it. */
  private static final int COPIES = 6;

  /** What the image layer "workloads" takes, as files and as processes. */
  private static final int WORKLOADS = 192;

  /** What the image layer "postgres" takes, as files and as processes, which go over as images. */
  private static final int POSTGRES = 192;

  private static final int ROUND = 64;

  private Sizing() {}

  /** What kernel A is booted with, {@code crashkernel=}. */
  static int crash(int dataMegabytes) {
    int data = Math.min(dataMegabytes, DATA_IN_CRASH);
    return (WITHOUT_DATA + 2 * data + ROUND - 1) / ROUND * ROUND;
  }

  /** RAM of a machine that can move so much data. */
  static int memory(int dataMegabytes) {
    return USUAL_MEMORY + COPIES * Math.max(0, dataMegabytes - DATA_IN_CRASH);
  }

  static int crash(RunPlan plan) {
    return crash(plan.megabytes())
        + (plan.workloads().any() ? WORKLOADS : 0)
        + (plan.postgres() ? POSTGRES : 0);
  }

  /** The most data that a run fills a Redis with. */
  static int mostData() {
    return 8192;
  }
}
