package io.twinkernel.broker.agent;

import io.twinkernel.broker.cpu.InterruptCpus;
import io.twinkernel.broker.prestage.Running;
import io.twinkernel.ffi.Affinity;
import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Kexec;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;

/**
 * Loads kernel B. The kernel digests all of the image in one go, in which its CPU does nothing else
 * (kexec_calculate_store_digests, kernel/kexec_file.c): not even what ksoftirqd is to do there. So
 * this is done where the service's NIC does not interrupt, on a CPU that B gets anyway if it can.
 */
final class ImageLoading {
  private ImageLoading() {}

  /**
   * @throws IOException if the kernel does not take it; nothing is loaded then
   */
  static void load(UpgradePlan plan, String serviceFunction, String commandLine)
      throws IOException {
    BitSet quiet =
        quiet(plan.cpus(), Affinity.get(), InterruptCpus.of(Path.of("/"), serviceFunction));
    // A thread that ends with it: nothing else stays on that CPU.
    try (var thread =
        Executors.newSingleThreadExecutor(Thread.ofPlatform().name("kexec").factory())) {
      Running.on(
              thread,
              () -> {
                Affinity.set(quiet);
                load(plan, commandLine);
                return true;
              })
          .join();
    }
  }

  /**
   * Where the image is loaded.
   *
   * @param given CPUs that B gets
   * @param allowed CPUs that this program may use
   * @param interrupted CPUs that the service's NIC interrupts
   */
  static BitSet quiet(List<Integer> given, BitSet allowed, Set<Integer> interrupted) {
    BitSet quiet = (BitSet) allowed.clone();
    interrupted.forEach(quiet::clear);
    BitSet quietAndGiven = new BitSet();
    given.forEach(quietAndGiven::set);
    quietAndGiven.and(quiet);
    if (!quietAndGiven.isEmpty()) {
      return quietAndGiven;
    }
    return quiet.isEmpty() ? allowed : quiet;
  }

  private static void load(UpgradePlan plan, String commandLine) throws IOException {
    try (Fd image = Fd.open(plan.image().toString(), Linux.O_RDONLY());
        Fd initrd = Fd.open(plan.initrd().toString(), Linux.O_RDONLY())) {
      Kexec.fileLoad(image, initrd, commandLine, Linux.KEXEC_FILE_ON_CRASH());
    }
  }
}
