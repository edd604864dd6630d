package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Twin;
import io.twinkernel.ffi.bindings.twin_info;
import io.twinkernel.ffi.bindings.twin_range;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What the twin module knows: {@code struct twin_info} of twin.h.
 *
 * @param abi the module's interface version
 * @param crash the crash region, as the twin will see it; empty without {@code crashkernel=}
 * @param shared the region that both kernels map, once carved
 * @param trampoline this kernel's real-mode code below 1 MiB
 * @param ecam physical base of PCI segment 0's configuration space
 * @param tscKhz calibrated frequency of the time stamp counter
 * @param bootApicId APIC id of the machine's boot CPU, on which its first kernel ran
 * @param twinCpu logical number of the CPU that runs the twin
 */
public record TwinInfo(
    int abi,
    Role role,
    State state,
    Optional<Range> crash,
    Optional<Range> shared,
    Range trampoline,
    OptionalLong ecam,
    int tscKhz,
    int bootApicId,
    OptionalInt twinCpu) {

  /** The interface version that this code speaks. */
  public static final int ABI = Twin.TWIN_ABI_VERSION();

  private static final int NO_CPU = ~0;

  /** A physical address range, in bytes. */
  public record Range(long start, long size) {
    /** The first address behind it. */
    public long end() {
      return start + size;
    }

    @Override
    public String toString() {
      return "0x" + Long.toHexString(start) + "-0x" + Long.toHexString(end() - 1);
    }
  }

  /** Which side of an upgrade this kernel is on. */
  public enum Role {
    /** Booted by the firmware, or took over. */
    PRIMARY,
    /** Started beside another kernel. */
    SECONDARY;

    private static Role of(int value) {
      if (value == Twin.TWIN_ROLE_PRIMARY()) {
        return PRIMARY;
      }
      if (value == Twin.TWIN_ROLE_SECONDARY()) {
        return SECONDARY;
      }
      throw unknown("role", value);
    }
  }

  /** What the module is doing. */
  public enum State {
    /** Nothing is reserved. */
    IDLE,
    /** The shared region is carved from the crash region. */
    CARVED,
    /** The CPU will start the twin when it goes offline. */
    ARMED,
    /** A twin runs. */
    RUNNING,
    /** This kernel is itself the twin. */
    TWIN;

    private static State of(int value) {
      if (value == Twin.TWIN_STATE_IDLE()) {
        return IDLE;
      }
      if (value == Twin.TWIN_STATE_CARVED()) {
        return CARVED;
      }
      if (value == Twin.TWIN_STATE_ARMED()) {
        return ARMED;
      }
      if (value == Twin.TWIN_STATE_RUNNING()) {
        return RUNNING;
      }
      if (value == Twin.TWIN_STATE_TWIN()) {
        return TWIN;
      }
      throw unknown("state", value);
    }
  }

  static TwinInfo from(MemorySegment info) {
    long ecam = twin_info.ecam(info);
    int twinCpu = twin_info.twin_cpu(info);
    return new TwinInfo(
        twin_info.abi(info),
        Role.of(twin_info.role(info)),
        State.of(twin_info.state(info)),
        present(range(twin_info.crash(info))),
        present(range(twin_info.shared(info))),
        range(twin_info.trampoline(info)),
        ecam == 0 ? OptionalLong.empty() : OptionalLong.of(ecam),
        twin_info.tsc_khz(info),
        twin_info.boot_apic_id(info),
        twinCpu == NO_CPU ? OptionalInt.empty() : OptionalInt.of(twinCpu));
  }

  private static Range range(MemorySegment range) {
    return new Range(twin_range.start(range), twin_range.size(range));
  }

  private static Optional<Range> present(Range range) {
    return range.size() == 0 ? Optional.empty() : Optional.of(range);
  }

  private static IllegalStateException unknown(String what, int value) {
    return new IllegalStateException(
        "the twin module reports "
            + what
            + " "
            + value
            + ", which this version does not know: install the module that belongs to it");
  }
}
