package io.twinkernel.broker.prestage;

/** Told of each step on the way, so that it can be said where the time went. */
@FunctionalInterface
public interface Steps {
  /** For who does not want to know. */
  Steps UNTOLD = step -> {};

  /** A step is over; the next one begins. */
  void done(String step);
}
