package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.twinkernel.ffi.TwinInfo.Range;
import io.twinkernel.ffi.TwinInfo.Role;
import io.twinkernel.ffi.TwinInfo.State;
import io.twinkernel.ffi.bindings.Twin;
import io.twinkernel.ffi.bindings.twin_info;
import io.twinkernel.ffi.bindings.twin_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What can be said of /dev/twin without the module; the harness uses the real one. */
final class TwinDeviceTest {
  private final MemorySegment info = Arena.ofAuto().allocate(twin_info.layout());

  @Test
  void withoutTheModuleItSaysSo() {
    assumeFalse(Files.exists(Path.of(TwinDevice.PATH)), "the module is loaded here");

    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(TwinDevice::open)
        .withMessage(
            "open(/dev/twin, O_RDWR): ENOENT (no such file or directory): the twin module is not"
                + " loaded; load it first");
  }

  @Test
  void everyRequestReachesTheDriverUnderItsName() throws Exception {
    try (TwinDevice device = TwinDevice.open("/dev/null")) {
      refused("TWIN_IOC_INFO()", device::info);
      refused("TWIN_IOC_CARVE(2097152 bytes)", () -> device.carve(2 << 20));
      refused("TWIN_IOC_ARM(CPU 3)", () -> device.arm(3));
      refused("TWIN_IOC_DISARM()", device::disarm);
      refused("TWIN_IOC_PARK()", device::park);
      refused("TWIN_IOC_ADOPT_PCI(SSDT of 3 bytes)", () -> device.adoptPci(new byte[3]));
      refused(
          "TWIN_IOC_ADD_MEMORY(0x8000000-0x8001fff)", () -> device.addMemory(0x8000000, 0x2000));
      MemorySegment bits = Arena.ofAuto().allocate(16, 8);
      refused(
          "TWIN_IOC_EXCHANGE_FILES(process 7, 0 files)", () -> device.exchangeFiles(7, List.of()));
      refused("TWIN_IOC_THREADS(process 7, 2 threads)", () -> device.threads(7, List.of(7, 8)));
      refused("TWIN_IOC_TIMERS(process 7)", () -> device.timers(7));
      refused("TWIN_IOC_PAGES(process 7, 65 pages)", () -> device.pages(7, 0x4000, 65, bits, bits));
      TwinPort port = device.port(4);
      refused("TWIN_IOC_SET_PORT(interface 4, HOLD)", () -> port.set(TwinPort.Mode.HOLD));
      refused("TWIN_IOC_TAKE_FRAMES(interface 4)", () -> port.take(bits));
      refused("TWIN_IOC_GIVE_FRAMES(interface 4, 3 bytes)", () -> port.give(new byte[3]));
      refused("TWIN_IOC_DOORBELL()", device::doorbell);
      refused("TWIN_IOC_PROMOTE()", device::promote);
      refused("TWIN_IOC_INFO()", () -> device.mapShared(Arena.global()));
    }
  }

  private static void refused(String call, ThrowingCallable request) {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(request)
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.ENOTTY))
        .withMessageStartingWith(call + ": ENOTTY")
        .withMessageEndingWith(
            "the device is not the twin module's, or the module is older than this");
  }

  @Test
  void closingTwiceDoesNothing() throws Exception {
    TwinDevice device = TwinDevice.open("/dev/null");
    device.close();
    device.close();

    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(device::info)
        .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EBADF));
  }

  @Test
  void aMachineThatIsUntouched() {
    twin_info.abi(info, 1);
    twin_info.twin_cpu(info, ~0);
    twin_info.tsc_khz(info, 2_400_000);
    range(twin_info.trampoline(info), 0x98000, 0x6000);

    TwinInfo idle = TwinInfo.from(info);

    assertThat(idle.abi()).isEqualTo(TwinInfo.ABI);
    assertThat(idle.role()).isEqualTo(Role.PRIMARY);
    assertThat(idle.state()).isEqualTo(State.IDLE);
    assertThat(idle.crash()).isEmpty();
    assertThat(idle.shared()).isEmpty();
    assertThat(idle.trampoline()).hasToString("0x98000-0x9dfff");
    assertThat(idle.ecam()).isEmpty();
    assertThat(idle.tscKhz()).isEqualTo(2_400_000);
    assertThat(idle.twinCpu()).isEmpty();
  }

  @Test
  void aMachineWithATwin() {
    twin_info.role(info, Twin.TWIN_ROLE_SECONDARY());
    twin_info.ecam(info, 0xb0000000L);
    twin_info.boot_apic_id(info, 3);
    twin_info.twin_cpu(info, 0);
    range(twin_info.crash(info), 0x40000000L, 1L << 30);
    range(twin_info.shared(info), 0x78000000L, 1L << 27);

    TwinInfo twin = TwinInfo.from(info);

    assertThat(twin.role()).isEqualTo(Role.SECONDARY);
    assertThat(twin.crash()).contains(new Range(0x40000000L, 1L << 30));
    assertThat(twin.shared()).contains(new Range(0x78000000L, 1L << 27));
    assertThat(twin.ecam()).hasValue(0xb0000000L);
    assertThat(twin.bootApicId()).isEqualTo(3);
    assertThat(twin.twinCpu()).hasValue(0);
  }

  @Test
  void everyStateIsKnownAndNoOther() {
    Map<Integer, State> states =
        Map.of(
            Twin.TWIN_STATE_IDLE(), State.IDLE,
            Twin.TWIN_STATE_CARVED(), State.CARVED,
            Twin.TWIN_STATE_ARMED(), State.ARMED,
            Twin.TWIN_STATE_RUNNING(), State.RUNNING,
            Twin.TWIN_STATE_TWIN(), State.TWIN);
    states.forEach(
        (number, state) -> {
          twin_info.state(info, number);
          assertThat(TwinInfo.from(info).state()).isEqualTo(state);
        });
    assertThat(states.values()).containsExactlyInAnyOrder(State.values());

    twin_info.state(info, states.size());
    assertThatIllegalStateException()
        .isThrownBy(() -> TwinInfo.from(info))
        .withMessageContaining("reports state 5");
  }

  private static void range(MemorySegment range, long start, long size) {
    twin_range.start(range, start);
    twin_range.size(range, size);
  }
}
