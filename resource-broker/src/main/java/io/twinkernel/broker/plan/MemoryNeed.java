package io.twinkernel.broker.plan;

import io.twinkernel.broker.image.InitrdImage;
import io.twinkernel.broker.image.KernelImage;

/**
 * An estimate of how much memory the second kernel needs until it can take the first one's.
 *
 * @param shared the region that both kernels share, in bytes, as all of these
 * @param kernel its code and data
 * @param initrd the file, and what is unpacked from it
 * @param processes their images, and the processes once restored
 * @param runtime what the kernel and the broker allocate
 */
record MemoryNeed(long shared, long kernel, long initrd, long processes, long runtime) {

  private static final long MIB = 1L << 20;

  /** Page structures, slabs, CPU areas, drivers, the broker's JVM, CRIU. */
  private static final long RUNTIME = 160 * MIB;

  /** How much larger the content of a compressed initrd is taken to be. */
  private static final long UNPACKED = 4;

  /** crashkernel= takes any size; round ones are easier to remember. */
  private static final long ROUND = 64 * MIB;

  static MemoryNeed of(PlanFiles files, PlanRequest request) {
    long initrd = 0;
    if (files.initrd().isPresent()) {
      InitrdImage image = files.initrd().get();
      long unpacked = image.unpackedSize() > 0 ? image.unpackedSize() : UNPACKED * image.fileSize();
      initrd = image.fileSize() + unpacked;
    }
    return new MemoryNeed(
        request.sharedBytes(),
        files.kernel().map(KernelImage::memory).orElse(64 * MIB),
        initrd,
        2 * request.processBytes(),
        RUNTIME);
  }

  long total() {
    return shared + kernel + initrd + processes + runtime;
  }

  /** As a value of crashkernel=. */
  String advice() {
    return (total() + ROUND - 1) / ROUND * ROUND / MIB + "M";
  }

  static String mebibytes(long bytes) {
    return (bytes + MIB - 1) / MIB + " MiB";
  }

  @Override
  public String toString() {
    return mebibytes(total())
        + ": kernel "
        + mebibytes(kernel)
        + ", initrd packed and unpacked "
        + mebibytes(initrd)
        + ", processes and their images "
        + mebibytes(processes)
        + ", shared region "
        + mebibytes(shared)
        + ", at run time "
        + mebibytes(runtime);
  }
}
