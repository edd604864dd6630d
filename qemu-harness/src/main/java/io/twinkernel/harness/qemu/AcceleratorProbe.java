package io.twinkernel.harness.qemu;

import io.twinkernel.rootfs.Emulator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Finds out whether KVM works by running guests under it, each within a bound: first one of three
 * instructions, then a kernel without a root file system, which panics and so ends QEMU. A /dev/kvm
 * that can be opened says little: some hosts offer one that runs real-mode code and never gets
 * through a kernel's start.
 */
public final class AcceleratorProbe {

  private static final int CODE = 42;
  private static final int TINY_SECONDS = 5;
  private static final int BIOS_BYTES = 64 << 10;

  /** A kernel on a processor panics after one to two seconds. */
  private static final int KERNEL_SECONDS = 8;

  private static final String PANIC = "Kernel panic - not syncing: VFS";

  private final Path directory;
  private final Emulator emulator;

  /**
   * Probes with files in a folder.
   *
   * @param directory where the guests' files are put for the time of the probe
   * @param emulator the QEMU to probe
   */
  public AcceleratorProbe(Path directory, Emulator emulator) {
    this.directory = directory;
    this.emulator = emulator;
  }

  /**
   * Which accelerator was found, and how.
   *
   * @param accelerator the one to use
   * @param why what the probe of KVM showed
   */
  public record Found(Accelerator accelerator, String why) {}

  /**
   * Probes KVM and falls back to the translator. The finding is kept in {@code memory}, so that the
   * next run on the same QEMU and kernel does not wait for it again.
   *
   * @param kernel a bzImage with a serial console
   * @param release of that kernel
   * @param memory a file that does not outlive the host's uptime
   */
  public Found find(Path kernel, String release, Path memory) throws IOException {
    String key = key(release);
    if (Files.exists(memory)) {
      List<String> known = Files.readAllLines(memory);
      if (known.size() == 3 && known.getFirst().equals(key)) {
        return new Found(Accelerator.valueOf(known.get(1)), known.get(2));
      }
    }
    Found found =
        whyNotKvm(kernel)
            .map(why -> new Found(Accelerator.TCG, why))
            .orElseGet(() -> new Found(Accelerator.KVM, "a kernel ran under KVM"));
    Files.write(memory, List.of(key, found.accelerator().name(), found.why()));
    return found;
  }

  private String key(String release) {
    return emulator.identity() + " " + release;
  }

  private Optional<String> whyNotKvm(Path kernel) throws IOException {
    if (!Files.isWritable(Path.of("/dev/kvm"))) {
      return Optional.of("there is no /dev/kvm that this user may write to");
    }
    Optional<String> tiny = runsTinyGuest("kvm");
    return tiny.isPresent() ? tiny : runsKernel("kvm", kernel, KERNEL_SECONDS);
  }

  /** Why a guest of three instructions does not run; empty if it does. */
  Optional<String> runsTinyGuest(String accel) throws IOException {
    Path bios = directory.resolve("probe.bin");
    try {
      Files.write(bios, tinyBios());
      Optional<Integer> code =
          run(
              TINY_SECONDS,
              List.of(
                  "-accel",
                  accel,
                  "-m",
                  "16",
                  "-bios",
                  bios.toString(),
                  "-device",
                  "isa-debug-exit,iobase=0xf4,iosize=0x04"));
      if (code.isEmpty()) {
        return Optional.of("a guest of three instructions hung under " + accel);
      }
      // isa-debug-exit ends QEMU with (value << 1) | 1.
      return code.get() == (CODE << 1 | 1)
          ? Optional.empty()
          : Optional.of("QEMU could not run a guest under " + accel + ", exit code " + code.get());
    } finally {
      Files.deleteIfExists(bios);
    }
  }

  /** Why a kernel on two CPUs does not come as far as its panic in time; empty if it does. */
  Optional<String> runsKernel(String accel, Path kernel, int seconds) throws IOException {
    Path log = directory.resolve("probe.log");
    try {
      Optional<Integer> code =
          run(
              seconds,
              List.of(
                  "-accel",
                  accel,
                  "-cpu",
                  accel.equals("kvm") ? "host" : "max",
                  "-smp",
                  "2",
                  "-m",
                  "512",
                  "-kernel",
                  kernel.toString(),
                  "-append",
                  "console=ttyS0 panic=-1",
                  "-serial",
                  "file:" + log));
      if (code.isEmpty()) {
        return Optional.of("a kernel did not start within " + seconds + " s under " + accel);
      }
      String said =
          Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.ISO_8859_1) : "";
      return said.contains(PANIC)
          ? Optional.empty()
          : Optional.of("a kernel did not get through its start under " + accel);
    } finally {
      Files.deleteIfExists(log);
    }
  }

  /** QEMU's exit code; empty if it had to be ended. */
  private Optional<Integer> run(int seconds, List<String> arguments) throws IOException {
    List<String> line = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
    line.addAll(emulator.startLine());
    line.addAll(List.of("-machine", "q35", "-nodefaults", "-display", "none", "-no-reboot"));
    line.addAll(arguments);
    Process process =
        new ProcessBuilder(line)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      return process.waitFor(seconds, TimeUnit.SECONDS)
          ? Optional.of(process.exitValue())
          : Optional.empty();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while probing KVM", interrupted);
    } finally {
      process.destroyForcibly();
      process.onExit().join();
    }
  }

  /** A firmware whose reset vector writes to the debug-exit port. */
  private static byte[] tinyBios() {
    byte[] bios = new byte[BIOS_BYTES];
    Arrays.fill(bios, (byte) 0xf4);
    byte[] code = {(byte) 0xb0, CODE, (byte) 0xe6, (byte) 0xf4, (byte) 0xf4};
    System.arraycopy(code, 0, bios, BIOS_BYTES - 16, code.length);
    return bios;
  }
}
