package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.RemoteMemory.Range;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Memory that a stopped shell shares, and others have written to. */
final class SharedContentTest {
  private static final long PAGE = PageScan.PAGE;
  private static final int DONTNEED = 4;

  private StoppedShell shell;
  private long start;

  @BeforeEach
  void start() throws Exception {
    shell = StoppedShell.start();
    start =
        shell.call(
            Linux.__NR_mmap(),
            0,
            16 * PAGE,
            Linux.PROT_READ() | Linux.PROT_WRITE(),
            Linux.MAP_SHARED() | Linux.MAP_ANONYMOUS(),
            -1,
            0);
  }

  @AfterEach
  void end() throws Exception {
    shell.close();
  }

  private void write(long page) throws IOException {
    try (Fd memory = Fd.open("/proc/" + shell.pid() + "/mem", Linux.O_RDWR());
        Arena arena = Arena.ofConfined()) {
      memory.writeAll(arena.allocate(1), start + page * PAGE);
    }
  }

  private Range pages(long first, long count) {
    return new Range(start + first * PAGE, count * PAGE);
  }

  @Test
  void isFoundThoughTheProcessHasNoEntriesForIt() throws Exception {
    write(3);
    write(7);
    write(8);
    MemoryMap map = MemoryMap.read(shell.pid());
    assertThat(SharedContent.of(shell.pid(), map)).containsExactly(pages(3, 1), pages(7, 2));
    shell.call(Linux.__NR_madvise(), start, 16 * PAGE, DONTNEED);
    assertThat(SharedContent.of(shell.pid(), map)).containsExactly(pages(3, 1), pages(7, 2));
  }

  @Test
  void isSentOnceAllOfItWhenItIsSuspected() throws Exception {
    write(3);
    write(7);
    MemoryMap map = MemoryMap.read(shell.pid());
    try (FollowedMemory memory = FollowedMemory.open(shell.pid(), map)) {
      memory.note();
      memory.begin();
      shell.call(Linux.__NR_madvise(), start, 16 * PAGE, DONTNEED);
      assertThat(memory.collect()).isZero();
      memory.suspectShared();
      assertThat(memory.suspectedBytes()).isEqualTo(2 * PAGE);
      assertThat(memory.collectLast()).isEqualTo(2 * PAGE);
      assertThat(memory.collect()).isEqualTo(2 * PAGE);
      assertThat(memory.suspectedBytes()).isZero();
      assertThat(memory.collect()).isZero();
    }
  }

  @Test
  void isNowhereWhereNothingIsShared() throws Exception {
    shell.call(Linux.__NR_munmap(), start, 16 * PAGE);
    MemoryMap map = MemoryMap.read(shell.pid());
    assertThat(SharedContent.of(shell.pid(), map)).isEqualTo(List.of());
  }
}
