package io.twinkernel.harness;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Begins no test that boots a machine once the time is over that {@code ./twin test} gives them
 * all: a slow host then says which it has left out, rather than be stopped in the middle of one.
 */
public final class TimeBudget implements ExecutionCondition {
  /** When it is over, in seconds since 1970; {@code ./twin test} sets it. */
  private static final String END = "TWIN_TEST_END";

  private static final String MACHINE = "machine";

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if (!context.getTags().contains(MACHINE)) {
      return ConditionEvaluationResult.enabled("it boots no machine");
    }
    return evaluate(System.getenv().getOrDefault(END, ""), Instant.now());
  }

  /**
   * @param end seconds since 1970; empty: there is time
   */
  static ConditionEvaluationResult evaluate(String end, Instant now) {
    if (end.isEmpty()) {
      return ConditionEvaluationResult.enabled("nobody is in a hurry");
    }
    Duration over = Duration.between(Instant.ofEpochSecond(Long.parseLong(end)), now);
    return over.isNegative()
        ? ConditionEvaluationResult.enabled("there is time")
        : ConditionEvaluationResult.disabled(
            "left out: the time was over " + over.toSeconds() + " s ago");
  }
}
