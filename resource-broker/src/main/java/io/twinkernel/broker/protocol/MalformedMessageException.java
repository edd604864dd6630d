package io.twinkernel.broker.protocol;

import java.io.IOException;

/** A message that the protocol does not allow; says what is wrong with it. */
public final class MalformedMessageException extends IOException {
  public MalformedMessageException(String what) {
    super(what);
  }
}
