package io.twinkernel.broker.prestage;

import java.io.IOException;

/** A process that cannot wait in the other kernel; a full dump may still carry it over. */
public final class Unstageable extends IOException {
  private static final long serialVersionUID = 1;

  private final boolean passes;

  /**
   * @param why the descriptor, area or call that is the reason
   */
  public Unstageable(String why) {
    this(why, false);
  }

  private Unstageable(String why, boolean passes) {
    super(why);
    this.passes = passes;
  }

  /**
   * One that is on its way from one state to another.
   *
   * @param why likewise
   */
  static Unstageable now(String why) {
    return new Unstageable(why, true);
  }

  /** Whether it may be otherwise a moment later. */
  public boolean passes() {
    return passes;
  }
}
