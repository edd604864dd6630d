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
public record MemoryNeed(long shared, long kernel, long initrd, long processes, long runtime) {

  private static final long MIB = 1L << 20;

  /** Page structures, slabs, CPU areas, drivers, the broker's JVM, CRIU. */
  private static final long RUNTIME = 160 * MIB;

  /** How much larger the content of a compressed initrd is taken to be. */
  private static final long UNPACKED = 4;

  /** crashkernel= takes any size; round ones are easier to remember. */
  private static final long ROUND = 64 * MIB;

  /** Of so many pages one is full of structures for the others. */
  private static final long PAGES_PER_STRUCTURES = 63;

  /** An estimate from the files and what is asked. */
  public static MemoryNeed of(PlanFiles files, PlanRequest request) {
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

  /** Before any process comes: what the crash region must have room for. */
  long start() {
    return shared + kernel + initrd + runtime;
  }

  long total() {
    return start() + processes;
  }

  /**
   * What the first kernel has to let go in addition.
   *
   * @param crash bytes of the crash region
   * @param block what it lets memory go in
   * @return whole blocks; with page structures for themselves
   */
  public long lent(long crash, long block) {
    long lacking = Math.max(0, total() - crash);
    long bytes = lacking + lacking / PAGES_PER_STRUCTURES;
    return block == 0 ? bytes : (bytes + block - 1) / block * block;
  }

  /** As a value of crashkernel=; the processes' memory can be lent. */
  String advice() {
    return (start() + ROUND - 1) / ROUND * ROUND / MIB + "M";
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
