package io.twinkernel.broker.prestage;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;

/** A real process is stopped, read and written; a connection is made up and read back. */
final class CanaryTest {
  @Test
  void comesThrough() {
    assertThatCode(Canary::fly).doesNotThrowAnyException();
  }
}
