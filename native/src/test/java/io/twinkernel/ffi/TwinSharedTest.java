package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.bindings.Twin;
import io.twinkernel.ffi.bindings.twin_shared;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class TwinSharedTest {
  private static final int PAGE = 4096;
  private static final TwinShared.Fixed FIXED =
      new TwinShared.Fixed(
          Twin.TWIN_SHARED_MAGIC(),
          Twin.TWIN_SHARED_VERSION(),
          0x1234_5678_9abc_def0L,
          64 << 20,
          0x1000,
          0x2000,
          0x3000,
          Twin.TWIN_PARKING_SIZE(),
          0x20000,
          0x40000,
          0x10000,
          0x8000);

  private final MemorySegment memory = Arena.ofAuto().allocate(PAGE, PAGE);
  private final TwinShared shared = new TwinShared(memory);

  @Test
  void whatIsInitialisedIsReadAndIntact() {
    memory.fill((byte) 0x5a);

    shared.initialise(FIXED);

    assertThat(shared.fixed()).isEqualTo(FIXED);
    assertThat(shared.intact()).isTrue();
    assertThat(twin_shared.apic_id(memory, Twin.TWIN_SIDE_A())).isEqualTo(Twin.TWIN_NO_APIC());
    assertThat(twin_shared.apic_id(memory, Twin.TWIN_SIDE_B())).isEqualTo(Twin.TWIN_NO_APIC());
    assertThat(shared.baton()).isZero();
    assertThat(shared.parked()).isFalse();
  }

  @Test
  void theChecksumIsCrc32cOfTheFirst64BytesWithoutItself() {
    shared.initialise(FIXED);

    byte[] bytes = memory.asSlice(0, 64).toArray(ValueLayout.JAVA_BYTE);
    bytes[12] = bytes[13] = bytes[14] = bytes[15] = 0;
    assertThat(twin_shared.checksum(memory)).isEqualTo(crc32c(bytes));
    assertThat(memory.getString(0)).startsWith("TWINSHR1");
  }

  @Test
  void everyFixedByteCountsAndNoOther() {
    shared.initialise(FIXED);
    for (int i = 0; i < PAGE; i++) {
      byte before = memory.get(ValueLayout.JAVA_BYTE, i);
      memory.set(ValueLayout.JAVA_BYTE, i, (byte) (before ^ 1));
      assertThat(shared.intact()).as("byte %d", i).isEqualTo(i >= 64);
      memory.set(ValueLayout.JAVA_BYTE, i, before);
    }
  }

  @Test
  void theBatonMovesFromWhereItIsOnly() {
    shared.initialise(FIXED);

    assertThat(shared.moveBaton(1, 2)).isFalse();
    assertThat(shared.moveBaton(0, 2)).isTrue();

    assertThat(shared.baton()).isEqualTo(2);
    assertThat(twin_shared.baton(memory)).isEqualTo(2);
  }

  @Test
  void theClockAndTheParkedKernelAreSeen() {
    shared.initialise(FIXED);

    shared.clock(7_000_000_000L, 1_800_000_000_000_000_000L);
    twin_shared.parked(memory, 1);

    assertThat(shared.clockTsc()).isEqualTo(7_000_000_000L);
    assertThat(shared.clockRealtime()).isEqualTo(1_800_000_000_000_000_000L);
    assertThat(shared.parked()).isTrue();
  }

  /** Bit by bit, as RFC 3720 appendix B.4 defines it. */
  private static int crc32c(byte[] bytes) {
    int crc = ~0;
    for (byte b : bytes) {
      crc ^= b & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc >>> 1) ^ ((crc & 1) == 0 ? 0 : 0x82f63b78);
      }
    }
    return ~crc;
  }
}
