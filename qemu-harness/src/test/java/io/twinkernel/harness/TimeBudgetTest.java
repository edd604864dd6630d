package io.twinkernel.harness;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

final class TimeBudgetTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_000_000);

  @Test
  void leavesOutWhatWouldBeginTooLate() {
    assertThat(TimeBudget.evaluate("", NOW).isDisabled()).isFalse();
    assertThat(TimeBudget.evaluate("1000001", NOW).isDisabled()).isFalse();
    assertThat(TimeBudget.evaluate("999990", NOW).isDisabled()).isTrue();
    assertThat(TimeBudget.evaluate("999990", NOW).getReason()).get().asString().contains("10 s");
  }
}
