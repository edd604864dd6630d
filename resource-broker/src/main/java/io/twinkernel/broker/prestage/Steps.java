package io.twinkernel.broker.prestage;

import java.io.IOException;

/** Told of each step on the way, so that it can be said where the time went. */
@FunctionalInterface
public interface Steps {
  /** For who does not want to know. */
  Steps UNTOLD = step -> {};

  /**
   * A step is over; the next one begins.
   *
   * @throws IOException if who is told has it fail
   */
  void done(String step) throws IOException;
}
