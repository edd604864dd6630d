package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** With the JVM that the tests run on. */
@Isolated
class HotSpotFlagTest {
  /** More than any threshold of a compiler. */
  private static final int OFTEN = 200_000;

  private static final int LOOKS = 20;

  /** As HotSpot names the threads that compile, as far as the kernel keeps names. */
  private static final Pattern COMPILER = Pattern.compile("\\(C[12] CompilerThre");

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
  void withoutTheCompilerNothingIsCompiled() throws Exception {
    Optional<HotSpotFlag> compiler = HotSpotFlag.find("UseCompiler");
    CompilationMXBean compilation = ManagementFactory.getCompilationMXBean();
    compiler.orElseThrow().set(false);
    try {
      settle();
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

  /**
   * What was being compiled when it was switched off is compiled to its end, and counted only then:
   * waits until the threads that compile are asleep.
   */
  private static void settle() throws IOException {
    for (int asleep = 0; asleep < LOOKS; ) {
      asleep = compilersSleep() ? asleep + 1 : 0;
    }
  }

  private static boolean compilersSleep() throws IOException {
    boolean asleep = true;
    try (var tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path task : tasks) {
        String stat = SysFiles.readIfThere(task + "/stat").orElse("");
        asleep &= !COMPILER.matcher(stat).find() || stat.contains(") S ");
      }
    }
    return asleep;
  }

  private static long sum(IntSupplier work) {
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
