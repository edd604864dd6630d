package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class HarmlessCallsTest {
  @Test
  void theTimerThatGoesOverMayBeSet() {
    var real = new SystemCall(7, 38, 0, 0, 0, 0);
    var alarm = new SystemCall(7, 37, 5, 0, 0, 0);
    assertThat(HarmlessCalls.are(real, List.of())).isTrue();
    assertThat(HarmlessCalls.are(alarm, List.of())).isTrue();
    assertThat(HarmlessCalls.timer(real)).isTrue();
    assertThat(HarmlessCalls.timer(alarm)).isTrue();
    for (int other = 1; other <= 2; other++) {
      assertThat(HarmlessCalls.are(new SystemCall(7, 38, other, 0, 0, 0), List.of())).isFalse();
    }
    assertThat(HarmlessCalls.timer(new SystemCall(7, 36, 0, 0, 0, 0))).isFalse();
  }

  /** From trace_pipe on Linux 6.1: jemalloc gives memory back, a client comes and goes. */
  private static final String HARMLESS =
      """
          redis-server-5001    [001] .....    42.120517: sys_enter: NR 28 (7f26e0a00000, 4000, 4, 0, 0, 0)
          redis-server-5001    [001] .....    42.120917: sys_enter: NR 257 (ffffff9c, 7ffd0e611b30, 0, 0, 0, 0)
          redis-server-5001    [001] .....    42.121004: sys_enter: NR 3 (9, 0, 0, 0, 0, 0)
          redis-server-5001    [001] .....    42.121044: sys_enter: NR 72 (9, 3, 0, 0, 0, 0)
      """;

  private static final Pattern CALL = Pattern.compile("NR (-?\\d+) \\(([^)]*)\\)");

  private static List<SystemCall> calls(String trace) {
    return CALL.matcher(trace)
        .results()
        .map(
            call -> {
              String[] arguments = (call.group(2) + ", 0, 0, 0").split(", ", -1);
              return new SystemCall(
                  7,
                  Integer.parseInt(call.group(1)),
                  Long.parseUnsignedLong(arguments[0], 16),
                  Long.parseUnsignedLong(arguments[1], 16),
                  Long.parseUnsignedLong(arguments[2], 16),
                  Long.parseUnsignedLong(arguments[3], 16));
            })
        .toList();
  }

  private static Optional<SystemCall> firstOther(String trace) {
    return firstOther(trace, List.of());
  }

  private static Optional<SystemCall> firstOther(String trace, List<MemoryMap.Area> shared) {
    return calls(trace).stream().filter(call -> !HarmlessCalls.are(call, shared)).findFirst();
  }

  @Test
  void entriesOfSharedMemoryMustNotBeDropped() throws Exception {
    List<MemoryMap.Area> shared =
        MemoryMap.parse("7f26e0a00000-7f26e0b00000 rw-s 00000000 00:01 17 /dev/zero (deleted)\n")
            .sharedMemory();
    for (String dropped : List.of("7f26e0a01000, 1000", "7f26e09ff000, 2000", "0, ffffffffffff")) {
      assertThat(firstOther("NR 28 (" + dropped + ", 4, 0)", shared)).as(dropped).isPresent();
      assertThat(firstOther("NR 28 (" + dropped + ", 15, 0)", shared))
          .as("PAGEOUT " + dropped)
          .isPresent();
    }
    for (String other :
        List.of("7f26e0b00000, 1000, 4", "7f26e09ff000, 1000, 4", "7f26e0a01000, 1000, 3")) {
      assertThat(firstOther("NR 28 (" + other + ", 0)", shared)).as(other).isEmpty();
    }
  }

  @Test
  void aThreadMayBegin() {
    assertThat(calls(HARMLESS)).noneMatch(HarmlessCalls::begins);
    assertThat(calls("NR 56 (1200011, 0, 0, 7f26, 0, 0)\nNR 57 (0)\nNR 58 (0, 0, 0, 0, 0, 0)"))
        .hasSize(3)
        .noneMatch(HarmlessCalls::begins);
    assertThat(calls("NR 56 (3d0f00, 7f00, 0, 0, 0, 0)\nNR 435 (7ffc, 58, 0, 0, 0, 0)"))
        .hasSize(2)
        .allMatch(HarmlessCalls::begins);
  }

  @Test
  void whatMapsCannotTellIsNoticed() {
    assertThat(firstOther("NR 9 (0, 1000, 3, 22, ffffffff, 0)")).isEmpty();
    assertThat(firstOther("NR 9 (0, 1000, 3, 4022, ffffffff, 0)")).isEmpty();
    for (String flags : List.of("2022", "122", "40022", "28")) {
      assertThat(firstOther("NR 9 (0, 1000, 3, " + flags + ", ffffffff, 0)")).as(flags).isPresent();
    }
  }

  @Test
  void pagesThatMayMoveAreNoticed() {
    assertThat(firstOther("NR 25 (7f26e0a00000, 4000, 2000, 1, 0)")).isEmpty();
    assertThat(firstOther("NR 25 (7f26e0a00000, 4000, 8000, 0, 0)")).isEmpty();
    assertThat(firstOther("NR 25 (7f26e0a00000, 4000, 8000, 1, 0)")).isPresent();
    assertThat(firstOther("NR 25 (7f26e0a00000, 4000, 4000, 3, 7f26e0b00000)")).isPresent();
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
        .map(SystemCall::toString)
        .contains("system call 13 (f, 7ffd, 0, 8)");
  }

  @Test
  void argumentsDecide() {
    assertThat(firstOther("NR 28 (0, 1000, e, 0, 0, 0)")).isPresent();
    assertThat(firstOther("NR 72 (9, 8, 1389, 0, 0, 0)")).isPresent();
    assertThat(firstOther("NR 72 (9, ffffffffffffffff, 0, 0, 0, 0)")).isPresent();
    assertThat(firstOther("NR 54 (9, 6, 1f, 7ffd, 4, 0)")).isPresent();
    assertThat(firstOther("NR 54 (9, 1, 9, 7ffd, 4, 0)")).isEmpty();
    assertThat(firstOther("NR 16 (9, 5413, 7ffd, 0, 0, 0)")).isPresent();
  }

  @Test
  void whatIsSetIsToBeLookedAt() {
    String trace =
        HARMLESS
            + "NR 54 (9, 6, 1, 7ffd, 4, 0)\n"
            + "NR 72 (a, 4, 802, 0, 0, 0)\n"
            + "NR 72 (b, 3, 0, 0, 0, 0)\n"
            + "NR 16 (c, 5421, 7ffd, 0, 0, 0)\n"
            + "NR 16 (d, 541b, 7ffd, 0, 0, 0)\n";
    assertThat(calls(trace).stream().filter(HarmlessCalls::set).map(SystemCall::first))
        .containsExactly(9L, 10L, 12L);
    assertThat(firstOther(trace)).isEmpty();
  }

  @Test
  void threadsAndForksAreSeenOtherwise() {
    assertThat(firstOther("NR 56 (3d0f00, 7f00, 0, 0, 0, 0)")).isEmpty();
    assertThat(firstOther("NR 435 (7ffc, 58, 0, 0, 0, 0)")).isEmpty();
    assertThat(firstOther("NR 56 (1200011, 0, 0, 0, 0, 0)")).isEmpty();
    // What shares signal handlers and is no thread.
    assertThat(firstOther("NR 56 (911, 0, 0, 0, 0, 0)")).isPresent();
  }

  @Test
  void whatIsAThreadsOwnIsAskedForAnew() {
    String own =
        """
        NR 273 (7f26, 18, 0, 0, 0, 0)
        NR 334 (7f26, 20, 0, 53053053, 0, 0)
        NR 218 (7f26, 0, 0, 0, 0, 0)
        NR 157 (f, 7ffd, 0, 0, 0, 0)
        NR 131 (7ffd, 0, 0, 0, 0, 0)
        NR 141 (0, 0, 5, 0, 0, 0)
        NR 144 (0, 1, 7ffd, 0, 0, 0)
        """;
    assertThat(calls(own).stream().map(HarmlessCalls::ofThread))
        .hasSize(7)
        .allMatch(thread -> thread.equals(Optional.of(7)));
    assertThat(calls("NR 141 (0, 9, 5, 0, 0, 0)\nNR 314 (9, 7ffd, 0, 0, 0, 0)"))
        .extracting(HarmlessCalls::ofThread)
        .containsOnly(Optional.of(9));
    // A process's priority; what is asked; what is set for more than a thread.
    assertThat(
            calls(
                """
                NR 141 (1, 9, 5, 0, 0, 0)
                NR 131 (0, 7ffd, 0, 0, 0, 0)
                NR 157 (4, 0, 0, 0, 0, 0)
                NR 13 (f, 7ffd, 0, 8, 0, 0)
                """))
        .extracting(HarmlessCalls::ofThread)
        .containsOnly(Optional.empty());
  }

  @Test
  void theKernelTakesAFilterOfLessThanAPage() {
    assertThat(HarmlessCalls.filter(List.of(5001, 5007, 5003, 5002), 6000))
        .startsWith(
            "((common_pid >= 5001 && common_pid <= 5003) || common_pid == 5007"
                + " || (common_pid > 6000 && (id < 2 || id > 3) && (id < 10 || id > 12) && ")
        .endsWith(" && id != 441 && id != 449")
        .hasSizeLessThan(2500);
  }

  @Test
  void callsThatLayOutMemoryAnewAreKnown() {
    for (int number : new int[] {9, 10, 11, 12, 25}) {
      assertThat(HarmlessCalls.map(new SystemCall(7, number, 0, 0, 0, 0))).isTrue();
    }
    for (int number : new int[] {0, 28, 56, 231}) {
      assertThat(HarmlessCalls.map(new SystemCall(7, number, 0, 0, 0, 0))).isFalse();
    }
  }
}
