package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;

/** A real process is stopped, read and written; a real connection changes its socket. */
final class CanaryTest {
  @Test
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
