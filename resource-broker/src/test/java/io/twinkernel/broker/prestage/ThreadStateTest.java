package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.bindings.user_regs_struct;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

final class ThreadStateTest {
  private static final long EPOLL_WAIT = 232;
  private static final long ADDRESS = 0x401002;

  @Test
  void aCallThatTheKernelWouldMakeAgainIsLeftToTheOtherOne() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment registers = interrupted(arena, -514);
      ThreadState.leaveSystemCall(registers);
      assertThat(user_regs_struct.rax(registers)).isEqualTo(-514);
      assertThat(user_regs_struct.rip(registers)).isEqualTo(ADDRESS);
      assertThat(user_regs_struct.orig_rax(registers)).isEqualTo(EPOLL_WAIT);
    }
  }

  @Test
  void aCallThatOnlyTheFormerKernelCouldGoOnWithWasInterrupted() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment registers = interrupted(arena, -516);
      ThreadState.leaveSystemCall(registers);
      assertThat(user_regs_struct.rax(registers)).isEqualTo(-4);
      assertThat(user_regs_struct.rip(registers)).isEqualTo(ADDRESS);
    }
  }

  @Test
  void aCallThatHasItsResultKeepsIt() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment registers = interrupted(arena, 17);
      ThreadState.leaveSystemCall(registers);
      assertThat(user_regs_struct.rax(registers)).isEqualTo(17);
      assertThat(user_regs_struct.rip(registers)).isEqualTo(ADDRESS);
      assertThat(user_regs_struct.orig_rax(registers)).isEqualTo(-1);
    }
  }

  private static MemorySegment interrupted(Arena arena, long result) {
    MemorySegment registers = arena.allocate(user_regs_struct.layout());
    user_regs_struct.orig_rax(registers, EPOLL_WAIT);
    user_regs_struct.rax(registers, result);
    user_regs_struct.rip(registers, ADDRESS);
    return registers;
  }
}
