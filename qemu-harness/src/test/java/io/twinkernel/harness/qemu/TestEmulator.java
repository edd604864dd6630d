package io.twinkernel.harness.qemu;

import io.twinkernel.rootfs.Emulator;
import io.twinkernel.rootfs.ImageCache;
import io.twinkernel.rootfs.Progress;
import io.twinkernel.rootfs.RootfsException;
import org.jspecify.annotations.Nullable;

/** The QEMU that runs use, looked up once for all tests of this JVM. */
public final class TestEmulator {

  private static @Nullable Emulator found;

  private TestEmulator() {}

  /** Fetched first if it is not there. */
  public static synchronized Emulator get() throws RootfsException, InterruptedException {
    Emulator known = found;
    if (known == null) {
      known = Emulator.prepare(ImageCache.standard(), Progress.lines(System.out));
      found = known;
    }
    return known;
  }
}
