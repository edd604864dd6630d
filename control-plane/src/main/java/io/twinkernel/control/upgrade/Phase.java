package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;

/** What an event is about. Freeze and resume are told by the brokers only. */
public enum Phase {
  PLAN,
  PREPARE,
  BOOT,
  PRECOPY,
  FREEZE,
  SWITCH,
  RESUME,
  ABSORB,
  COMPLETE,
  ROLLBACK;

  /** As it stands in messages. */
  @JsonValue
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The value of that word. */
  @JsonCreator
  public static Phase of(String word) {
    return Arrays.stream(values())
        .filter(value -> value.word().equals(word))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("no phase '" + word + "'; there are " + words()));
  }

  private static String words() {
    return String.join(", ", Arrays.stream(values()).map(Phase::word).toList());
  }
}
