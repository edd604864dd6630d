package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class HarmlessCallsTest {
  /** From trace_pipe on Linux 6.1: jemalloc gives memory back, a client comes and goes. */
  private static final String HARMLESS =
      """
          redis-server-5001    [001] .....    42.120517: sys_enter: NR 28 (7f26e0a00000, 4000, 4, 0, 0, 0)
          redis-server-5001    [001] .....    42.120917: sys_enter: NR 257 (ffffff9c, 7ffd0e611b30, 0, 0, 0, 0)
          redis-server-5001    [001] .....    42.121004: sys_enter: NR 3 (9, 0, 0, 0, 0, 0)
          redis-server-5001    [001] .....    42.121044: sys_enter: NR 72 (9, 3, 0, 0, 0, 0)
      """;

  private static Optional<String> firstOther(String trace) {
    return firstOther(trace, List.of());
  }

  private static Optional<String> firstOther(String trace, List<HarmlessCalls.Call> known) {
    return HarmlessCalls.firstOther(trace, known, List.of());
  }

  @Test
  void entriesOfSharedMemoryMustNotBeDropped() throws Exception {
    List<MemoryMap.Area> shared =
        MemoryMap.parse("7f26e0a00000-7f26e0b00000 rw-s 00000000 00:01 17 /dev/zero (deleted)\n")
            .sharedMemory();
    for (String dropped : List.of("7f26e0a01000, 1000", "7f26e09ff000, 2000", "0, ffffffffffff")) {
      assertThat(HarmlessCalls.firstOther("NR 28 (" + dropped + ", 4, 0)", List.of(), shared))
          .as(dropped)
          .isPresent();
      assertThat(HarmlessCalls.firstOther("NR 28 (" + dropped + ", 15, 0)", List.of(), shared))
          .as("PAGEOUT " + dropped)
          .isPresent();
    }
    for (String other :
        List.of("7f26e0b00000, 1000, 4", "7f26e09ff000, 1000, 4", "7f26e0a01000, 1000, 3")) {
      assertThat(HarmlessCalls.firstOther("NR 28 (" + other + ", 0)", List.of(), shared))
          .as(other)
          .isEmpty();
    }
  }

  @Test
  void aForkIsNoticed() {
    var known = List.of(new HarmlessCalls.Call(56, 0xa000, 8, 0));
    String own = "NR 56 (a000, 8, 0, 0, 0, 0)\n";
    assertThat(HarmlessCalls.forks(HARMLESS + own, known)).isFalse();
    assertThat(HarmlessCalls.forks(own + "NR 56 (1200011, 0, 0, 7f26, 0, 0)\n", known)).isTrue();
    assertThat(HarmlessCalls.forks(own, List.of())).isTrue();
    assertThat(HarmlessCalls.forks("NR 58 (0, 0, 0, 0, 0, 0)\n", known)).isTrue();
  }

  @Test
  void whatIsKnownIsPassedOver() {
    var known = List.of(new HarmlessCalls.Call(28, 0x7f26e0a00000L, 0x4000, 0xa));
    String made = "NR 28 (7f26e0a00000, 4000, a, 0, 7, 0)\n";
    assertThat(firstOther(made, known)).isEmpty();
    assertThat(firstOther(made, List.of())).isPresent();
    assertThat(firstOther("NR 28 (7f26e0a00000, 8000, a, 0, 7, 0)", known)).isPresent();
    assertThat(firstOther(made + "NR 13 (f, 7ffd, 0, 8, 0, 0)", known))
        .contains("system call 13 (f, 7ffd, 0, 8, 0, 0)");
  }

  @Test
  void toAskIsNoReason() {
    assertThat(firstOther("NR 131 (0, 7ffd, 0, 0, 0, 0)\nNR 157 (28, 7ffd, 0, 0, 0, 0)")).isEmpty();
    assertThat(firstOther("NR 131 (7ffd, 0, 0, 0, 0, 0)")).isPresent();
    assertThat(firstOther("NR 157 (1, 9, 0, 0, 0, 0)")).isPresent();
  }

  @Test
  void whatIsLookedAtAnywayIsNoReason() {
    assertThat(firstOther("")).isEmpty();
    assertThat(firstOther(HARMLESS)).isEmpty();
  }

  @Test
  void aSignalHandlerIs() {
    assertThat(firstOther(HARMLESS + "x-1 [0] ..... 1.0: sys_enter: NR 13 (f, 7ffd, 0, 8, 0, 0)\n"))
        .contains("system call 13 (f, 7ffd, 0, 8, 0, 0)");
  }

  @Test
  void argumentsDecide() {
    assertThat(firstOther("NR 28 (0, 1000, e, 0, 0, 0)")).isPresent();
    assertThat(firstOther("NR 72 (9, 4, 800, 0, 0, 0)")).isPresent();
    assertThat(firstOther("NR 72 (9, ffffffffffffffff, 0, 0, 0, 0)")).isPresent();
  }

  @Test
  void aThreadIsNoticedAForkIsNot() {
    assertThat(firstOther("NR 56 (3d0f00, 7f00, 0, 0, 0, 0)")).isPresent();
    assertThat(firstOther("NR 435 (7ffc, 58, 0, 0, 0, 0)")).isPresent();
    assertThat(firstOther("NR 56 (1200011, 0, 0, 0, 0, 0)")).isEmpty();
  }

  @Test
  void aTraceThatLostSomethingProvesNothing() {
    assertThat(firstOther("CPU:1 [LOST 12 EVENTS]\n" + HARMLESS)).isPresent();
  }

  @Test
  void theKernelTakesAFilterOfLessThanAPage() {
    assertThat(HarmlessCalls.filter(List.of(5001, 5002)))
        .startsWith("(common_pid == 5001 || common_pid == 5002) && id != 0 && id != 1 && ")
        .hasSizeLessThan(4096);
  }
}
