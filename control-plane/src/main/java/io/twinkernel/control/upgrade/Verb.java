package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the control plane may ask of a broker: a closed set. The stages are the broker's own names
 * for where its upgrade stands before and after the verb; it tells them in the reply to {@code
 * status}.
 */
public enum Verb {
  PLAN("Idle", "Planned"),
  PREPARE("Planned", "Prepared"),
  BOOT("Prepared", "Booted"),
  PRECOPY("Booted", "Copied"),
  SWITCH("Copied", "Left"),
  ABSORB("Committed", "Absorbed"),
  ROLLBACK("", "Idle"),
  STATUS("", "");

  private final String stageBefore;
  private final String stageAfter;

  Verb(String stageBefore, String stageAfter) {
    this.stageBefore = stageBefore;
    this.stageAfter = stageAfter;
  }

  String stageBefore() {
    return stageBefore;
  }

  String stageAfter() {
    return stageAfter;
  }

  /** As it stands in messages. */
  @JsonValue
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The verb of that word. */
  @JsonCreator
  public static Verb of(String word) {
    return Arrays.stream(values())
        .filter(verb -> verb.word().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no phase '"
                        + word
                        + "'; there are "
                        + Stream.of(values())
                            .filter(Verb::isPhase)
                            .map(Verb::word)
                            .collect(Collectors.joining(", "))));
  }

  /** Is one of the steps of an upgrade, in the order of this enumeration. */
  public boolean isPhase() {
    return this != ROLLBACK && this != STATUS;
  }

  /** Whom it is sent to. */
  public Role role() {
    return this == ABSORB ? Role.SECONDARY : Role.PRIMARY;
  }

  /** The phase under which its events run. */
  public Phase phase() {
    return switch (this) {
      case PLAN -> Phase.PLAN;
      case PREPARE -> Phase.PREPARE;
      case BOOT -> Phase.BOOT;
      case PRECOPY -> Phase.PRECOPY;
      case SWITCH -> Phase.SWITCH;
      case ABSORB -> Phase.ABSORB;
      case ROLLBACK -> Phase.ROLLBACK;
      case STATUS -> throw new IllegalStateException("status is no phase");
    };
  }

  /** What comes next in that state, if the control plane says so. */
  static Optional<Verb> next(State state) {
    return switch (state) {
      case REQUESTED -> Optional.of(PLAN);
      case PLANNED -> Optional.of(PREPARE);
      case PREPARED -> Optional.of(BOOT);
      case BOOTED -> Optional.of(PRECOPY);
      case PRECOPIED -> Optional.of(SWITCH);
      case COMMITTED -> Optional.of(ABSORB);
      case ROLLING_BACK -> Optional.of(ROLLBACK);
      case SWITCHING, ABSORBED, COMPLETE, ROLLED_BACK, REHEARSED, REFUSED, FAILED ->
          Optional.empty();
    };
  }

  /** The phase that led to that state. */
  static Optional<Verb> last(State state) {
    return switch (state) {
      case PLANNED -> Optional.of(PLAN);
      case PREPARED -> Optional.of(PREPARE);
      case BOOTED -> Optional.of(BOOT);
      case PRECOPIED -> Optional.of(PRECOPY);
      case COMMITTED -> Optional.of(SWITCH);
      case ABSORBED -> Optional.of(ABSORB);
      case REQUESTED, SWITCHING, COMPLETE, ROLLING_BACK, ROLLED_BACK, REHEARSED, REFUSED, FAILED ->
          Optional.empty();
    };
  }
}
