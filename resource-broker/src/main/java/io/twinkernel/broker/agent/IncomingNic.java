package io.twinkernel.broker.agent;

import io.twinkernel.broker.prestage.Steps;
import java.io.IOException;

/** How the service's network comes to B. Its addresses are local here before. */
sealed interface IncomingNic permits IncomingFunction, IncomingPort {
  /** What of the gap can be done over and over before, and harms nobody. */
  void rehearse() throws IOException;

  /** What can be done once more before, and takes long. */
  void practise() throws IOException;

  /** The gap is near. */
  void getReady() throws IOException;

  /**
   * Makes sure that it can be opened.
   *
   * @throws IOException if there is nothing to open
   */
  void requireHere() throws IOException;

  /** After the commit: packets come in and go out from here on. */
  void open(Steps steps) throws IOException;

  /** After the gap: the network learns where the addresses are, which it does of itself, too. */
  void announce() throws IOException;

  /** What A's interface has received comes in; after {@link #open}. */
  void give(byte[] frames) throws IOException;

  /** There is no commit: A is to have it before this kernel is stopped. */
  void letGo() throws IOException;

  /** After the gap: what was there for it. */
  void cleanUp() throws IOException;

  /** There will be no switch, and this kernel goes on: so does what is here without it. */
  void abandon() throws IOException;
}
