package io.twinkernel.control.cli;

import com.fasterxml.jackson.databind.JsonNode;

/** What scripts learn from {@code twinctl}; 2 is for a wrong command line. */
final class ExitCode {
  /** Done; or the upgrade waits where it was asked to. */
  static final int OK = 0;

  /** The control plane cannot be reached, or is in trouble. */
  static final int TROUBLE = 1;

  /** The request, or the upgrade, was refused; nothing was changed. */
  static final int REFUSED = 3;

  /** The upgrade was rolled back: the former kernel serves. */
  static final int ROLLED_BACK = 4;

  /** The upgrade needs an operator. */
  static final int FAILED = 5;

  private ExitCode() {}

  static int of(JsonNode upgrade) {
    return switch (upgrade.path("state").asText()) {
      case "REFUSED" -> REFUSED;
      case "ROLLED_BACK" -> ROLLED_BACK;
      case "FAILED" -> FAILED;
      default -> OK;
    };
  }
}
