package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.bindings.user_regs_struct;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class ThreadStateTest {
  private static final long EPOLL_WAIT = 232;
  private static final long ADDRESS = 0x401002;

  @Test
  void aCallThatTheKernelWouldMakeAgainIsLeftToTheOtherOne() {
    MemorySegment registers = left(-514);
    assertThat(user_regs_struct.rax(registers)).isEqualTo(-514);
    assertThat(user_regs_struct.rip(registers)).isEqualTo(ADDRESS);
    assertThat(user_regs_struct.orig_rax(registers)).isEqualTo(EPOLL_WAIT);
  }

  @Test
  void aCallThatOnlyTheFormerKernelCouldGoOnWithWasInterrupted() {
    MemorySegment registers = left(-516);
    assertThat(user_regs_struct.rax(registers)).isEqualTo(-4);
    assertThat(user_regs_struct.rip(registers)).isEqualTo(ADDRESS);
  }

  @Test
  void aCallThatHasItsResultKeepsIt() {
    MemorySegment registers = left(17);
    assertThat(user_regs_struct.rax(registers)).isEqualTo(17);
    assertThat(user_regs_struct.rip(registers)).isEqualTo(ADDRESS);
    assertThat(user_regs_struct.orig_rax(registers)).isEqualTo(-1);
  }

  /** What is left of one that was interrupted. */
  private static MemorySegment left(long result) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment registers = arena.allocate(user_regs_struct.layout());
      user_regs_struct.orig_rax(registers, EPOLL_WAIT);
      user_regs_struct.rax(registers, result);
      user_regs_struct.rip(registers, ADDRESS);
      byte[] left = ThreadState.leaveSystemCall(registers.toArray(ValueLayout.JAVA_BYTE));
      return Arena.ofAuto()
          .allocate(user_regs_struct.layout())
          .copyFrom(MemorySegment.ofArray(left));
    }
  }
}
