package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.HotSpotFlag;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

final class JustInTimeCompilerTest {

  @Test
  void findsTheThreadsThatCompile() throws Exception {
    assertThat(JustInTimeCompiler.threads()).isNotEmpty();
  }

  @Test
  @Timeout(60)
  void doesNotWaitForEver() {
    JustInTimeCompiler.settle();
  }

  /** What that does to the compiler, HotSpotFlagTest of native shows. */
  @Test
  void pausesAndGoesOn() {
    HotSpotFlag used = HotSpotFlag.find("UseCompiler").orElseThrow();
    JustInTimeCompiler.pause();
    try {
      assertThat(used.get()).isFalse();
    } finally {
      JustInTimeCompiler.usual();
    }
    assertThat(used.get()).isTrue();
  }

  @Test
  void aThreadThatCompilesIsNotAsleep() throws Exception {
    assertThat(JustInTimeCompiler.allSleep(List.of("/proc/thread-self/stat"))).isFalse();
    assertThat(JustInTimeCompiler.allSleep(List.of("/proc/0/stat"))).isTrue();
  }
}
