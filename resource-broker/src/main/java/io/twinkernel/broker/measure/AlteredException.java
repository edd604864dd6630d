package io.twinkernel.broker.measure;

import java.io.IOException;

/** What arrived is not what was sent. */
public final class AlteredException extends IOException {
  public AlteredException(String what) {
    super(what + ": what carries it cannot be trusted");
  }
}
