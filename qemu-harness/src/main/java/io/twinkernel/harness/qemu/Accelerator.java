package io.twinkernel.harness.qemu;

import java.util.List;
import java.util.Locale;

/** What runs the guest's code. */
public enum Accelerator {
  /** The processor itself. */
  KVM("kvm", "host,migratable=off,+invtsc"),
  /**
   * QEMU's translator, one thread a CPU. Without cmpxchg16b, which it now and then got wrong when
   * several CPUs ran (seen with 7.2). Without fast string instructions: it translates {@code rep
   * movsb} byte by byte, and a kernel that is told of none moves eight at a time.
   */
  TCG("tcg,thread=multi", "max,-cx16,-erms,-fsrm");

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
}
