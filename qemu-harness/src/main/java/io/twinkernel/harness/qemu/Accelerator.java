package io.twinkernel.harness.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** What runs the guest's code. */
public enum Accelerator {
  /** The processor itself. */
  KVM("kvm", "host,migratable=off,+invtsc"),
  /**
   * QEMU's translator, one thread a CPU. Without cmpxchg16b, which it now and then gets wrong when
   * several CPUs run.
   */
  TCG("tcg,thread=multi", "max,-cx16");

  private static final int PROBE_CODE = 42;
  private static final int PROBE_SECONDS = 10;
  private static final int PROBE_BIOS_BYTES = 64 << 10;

  private final String accel;
  private final String cpu;

  Accelerator(String accel, String cpu) {
    this.accel = accel;
    this.cpu = cpu;
  }

  /** QEMU's arguments for it. */
  public List<String> arguments() {
    return List.of("-accel", accel, "-cpu", cpu);
  }

  /** As reports name it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Which accelerator was found, and how.
   *
   * @param accelerator the one to use
   * @param why what the probe of KVM showed
   */
  public record Found(Accelerator accelerator, String why) {}

  /**
   * Runs a guest of three instructions under KVM: a /dev/kvm that can be opened says little about
   * whether it works. Falls back to the translator.
   *
   * @param directory where the guest's 64 KiB are put for the time of the probe
   */
  public static Found probe(Path directory) throws IOException {
    if (!Files.isWritable(Path.of("/dev/kvm"))) {
      return new Found(TCG, "there is no /dev/kvm that this user may write to");
    }
    return runs("kvm", directory)
        .map(why -> new Found(TCG, "KVM does not work here: " + why))
        .orElseGet(() -> new Found(KVM, "a guest ran under KVM"));
  }

  /** Why the probe's guest does not run; empty if it does. */
  static Optional<String> runs(String accel, Path directory) throws IOException {
    Path bios = Files.createTempFile(directory, "probe", ".bin");
    try {
      Files.write(bios, probeBios());
      Process process =
          new ProcessBuilder(
                  "qemu-system-x86_64",
                  "-accel",
                  accel,
                  "-machine",
                  "q35",
                  "-nodefaults",
                  "-display",
                  "none",
                  "-no-reboot",
                  "-m",
                  "16",
                  "-bios",
                  bios.toString(),
                  "-device",
                  "isa-debug-exit,iobase=0xf4,iosize=0x04")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      try {
        if (!process.waitFor(PROBE_SECONDS, TimeUnit.SECONDS)) {
          return Optional.of("a guest of three instructions hung");
        }
      } finally {
        process.destroyForcibly();
      }
      // isa-debug-exit ends QEMU with (value << 1) | 1.
      return process.exitValue() == (PROBE_CODE << 1 | 1)
          ? Optional.empty()
          : Optional.of("QEMU could not run a guest, exit code " + process.exitValue());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while probing KVM", interrupted);
    } finally {
      Files.deleteIfExists(bios);
    }
  }

  /** A firmware whose reset vector writes to the debug-exit port. */
  private static byte[] probeBios() {
    byte[] bios = new byte[PROBE_BIOS_BYTES];
    Arrays.fill(bios, (byte) 0xf4);
    byte[] code = {(byte) 0xb0, PROBE_CODE, (byte) 0xe6, (byte) 0xf4, (byte) 0xf4};
    System.arraycopy(code, 0, bios, PROBE_BIOS_BYTES - 16, code.length);
    return bios;
  }
}
