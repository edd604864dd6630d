package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;

/** What a broker's kernel is: the one that was there, or its twin. */
public enum Role {
  PRIMARY,
  SECONDARY;

  /** As it stands in messages. */
  @JsonValue
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The value of that word. */
  @JsonCreator
  public static Role of(String word) {
    return Arrays.stream(values())
        .filter(value -> value.word().equals(word))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("no role '" + word + "'; there are " + words()));
  }

  private static String words() {
    return String.join(", ", Arrays.stream(values()).map(Role::word).toList());
  }
}
