package io.twinkernel.broker.policy;

import java.io.IOException;
import java.io.Serial;

/** A policy that cannot be read; the message names file, line and what may stand there. */
public final class PolicyException extends IOException {
  @Serial private static final long serialVersionUID = 1L;

  PolicyException(int line, String why) {
    super(Policy.FILE + ", line " + line + ": " + why);
  }
}
