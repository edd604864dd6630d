package io.twinkernel.broker.agent;

import java.io.IOException;

/** How the service's network leaves A. */
sealed interface OutgoingNic permits ServiceNic, ServicePort {
  /** All of {@link #release} and its undoing that harms nobody. */
  void rehearse() throws IOException;

  /**
   * No connection begins or ends any more, as far as that depends on the network: what would do
   * that waits, where this kernel can have it wait, and is not lost. Comes before {@link #release}.
   *
   * @param gap receives what has it come in here
   */
  void steady(Undo gap) throws IOException;

  /**
   * Nothing comes in to a socket or goes out any more: what A acknowledged after it has looked at
   * its connections would be lost.
   *
   * @param gap receives what has it go on here
   */
  void release(Undo gap) throws IOException;

  /**
   * Whether what comes in after {@link #release} is not lost: then that can be early, beside other
   * things.
   */
  boolean losesNothing();

  /** What the part of the gap is called in which that is done. */
  String releaseName();

  /** Tells B that it is released, where B waits for that. */
  void tell(Peer peer) throws IOException;

  /** Whether B may use it: then it is not to be had back before B has let go or runs no more. */
  boolean withB();

  /**
   * B has the network, be it said twice: has it get what has come in here since {@link #release}.
   */
  void forward();

  /** B has the service. */
  void left() throws IOException;
}
