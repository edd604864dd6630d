package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

/** A real process is stopped, read and written; a real connection changes its socket. */
final class CanaryTest {
  /** Often: whatever it is doing when it is taken hold of. */
  @RepeatedTest(50)
  void comesThrough() {
    assertThatCode(
            () -> {
              try (var canary = Canary.hatch()) {
                canary.fly();
                canary.threads();
                canary.fly();
                canary.threads();
              }
            })
        .doesNotThrowAnyException();
  }

  @Test
  void isForked() {
    assertThatCode(
            () -> {
              try (var canary = Canary.hatch()) {
                canary.fork(fork -> {});
                canary.fly();
                canary.fork(fork -> {});
              }
            })
        .doesNotThrowAnyException();
  }
}
