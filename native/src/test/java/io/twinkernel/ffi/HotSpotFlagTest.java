package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** With the JVM that the tests run on. */
@Isolated
class HotSpotFlagTest {
  /** More than any threshold of a compiler. */
  private static final int OFTEN = 200_000;

  @Test
  void findsFlagsThatAreOnOrOff() {
    assertThat(HotSpotFlag.find("UseCompiler").map(HotSpotFlag::get)).contains(true);
    assertThat(HotSpotFlag.find("UseSerialGC")).isPresent();
  }

  @Test
  void findsNothingElse() {
    assertThat(HotSpotFlag.find("UseNoSuchThing")).isEmpty();
    assertThat(HotSpotFlag.find("")).isEmpty();
  }

  @Test
  void withoutTheCompilerNothingIsCompiled() {
    Optional<HotSpotFlag> compiler = HotSpotFlag.find("UseCompiler");
    CompilationMXBean compilation = ManagementFactory.getCompilationMXBean();
    compiler.orElseThrow().set(false);
    try {
      settle(compilation);
      long before = compilation.getTotalCompilationTime();
      sum(Work::one);
      sum(Work::two);
      assertThat(compilation.getTotalCompilationTime()).isEqualTo(before);
    } finally {
      compiler.get().set(true);
    }
    long before = compilation.getTotalCompilationTime();
    for (int i = 0; i < 100 && compilation.getTotalCompilationTime() == before; i++) {
      sum(Work::two);
      sum(Work::one);
    }
    assertThat(compilation.getTotalCompilationTime()).isGreaterThan(before);
  }

  /** What was being compiled when it was switched off is compiled to its end. */
  private static void settle(CompilationMXBean compilation) {
    long last = -1;
    for (int same = 0; same < 5; ) {
      long now = compilation.getTotalCompilationTime();
      same = now == last ? same + 1 : 0;
      last = now;
      sum(() -> 1);
    }
  }

  private static long sum(java.util.function.IntSupplier work) {
    long sum = 0;
    for (int i = 0; i < OFTEN; i++) {
      sum += work.getAsInt();
    }
    return sum;
  }

  private static final class Work {
    private static int count;

    static int one() {
      return count++ % 7 == 0 ? two() : Integer.numberOfLeadingZeros(count) + count * 31 / 5;
    }

    static int two() {
      return Long.hashCode(count * 0x9E3779B97F4A7C15L) + Integer.toString(count).length();
    }
  }
}
