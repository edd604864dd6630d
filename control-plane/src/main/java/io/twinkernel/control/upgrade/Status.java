package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;

/** How a phase stands. */
public enum Status {
  STARTED,
  PROGRESS,
  DONE,
  FAILED;

  /** As it stands in messages. */
  @JsonValue
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The value of that word. */
  @JsonCreator
  public static Status of(String word) {
    return Arrays.stream(values())
        .filter(value -> value.word().equals(word))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("no status '" + word + "'; there are " + words()));
  }

  private static String words() {
    return String.join(", ", Arrays.stream(values()).map(Status::word).toList());
  }
}
