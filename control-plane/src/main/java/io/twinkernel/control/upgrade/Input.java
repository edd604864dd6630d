package io.twinkernel.control.upgrade;

import java.math.BigDecimal;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What an upgrade reacts to. */
public sealed interface Input {

  /** It was posted just now, or read from the journal. */
  record Begin() implements Input {}

  /** An operator lets it go on, until that phase if one is given. */
  record Continue(@Nullable Verb until) implements Input {}

  /** An operator wants it undone. */
  record RollBack() implements Input {}

  /** A broker of its node has dialled in. */
  record Dialled(Role role, String kernel) implements Input {}

  /** A broker's connection has broken. */
  record Lost(Role role) implements Input {}

  /** A broker tells something; see {@link UpgradeEvent} for the fields. */
  record Said(
      Role role,
      String kernel,
      Phase phase,
      Status status,
      long tsc,
      BigDecimal atMs,
      String message,
      Map<String, Object> detail)
      implements Input {

    /** Whether it is a twin's word that it outlived its primary, and has taken the machine. */
    public boolean adopts() {
      return role == Role.SECONDARY && phase == Phase.ROLLBACK && status == Status.FAILED;
    }

    /** The same from a broker in that role. */
    public Said as(Role actual) {
      return new Said(actual, kernel, phase, status, tsc, atMs, message, detail);
    }
  }

  /**
   * A broker answers a command.
   *
   * @param failure none if it was carried out
   */
  record Replied(long command, Map<String, Object> detail, @Nullable Failure failure)
      implements Input {}

  /** The deadline of a command has passed. */
  record Overdue(long command) implements Input {}
}
