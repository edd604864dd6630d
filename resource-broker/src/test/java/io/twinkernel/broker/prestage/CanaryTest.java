package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.RepeatedTest;

/** A real process is stopped, read and written; a real connection changes its socket. */
final class CanaryTest {
  /** Often: whatever it is doing when it is taken hold of. */
  @RepeatedTest(50)
  void comesThrough() {
    assertThatCode(
            () -> {
              try (var canary = Canary.hatch()) {
                canary.fly();
                canary.fly();
              }
            })
        .doesNotThrowAnyException();
  }
}
