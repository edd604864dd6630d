package io.twinkernel.broker.prestage;

import java.io.IOException;

/** A process that cannot wait in the other kernel; a full dump may still carry it over. */
public final class Unstageable extends IOException {
  private static final long serialVersionUID = 1;

  /**
   * @param why the descriptor, area or call that is the reason
   */
  public Unstageable(String why) {
    super(why);
  }
}
