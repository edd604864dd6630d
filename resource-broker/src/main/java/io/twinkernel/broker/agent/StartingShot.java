package io.twinkernel.broker.agent;

/**
 * Holds a thread that is to begin at once when something has happened: to wake one takes longer
 * than much of what it then does, most of all where a CPU has to be woken for it. It costs a CPU
 * that nobody else wants.
 */
final class StartingShot {
  private static final int LOOKS = 100;

  private enum State {
    AWAITED,
    FIRED,
    CALLED_OFF
  }

  private volatile State state = State.AWAITED;

  /** Whoever waits begins. */
  void fire() {
    state = State.FIRED;
  }

  /** Whoever still waits is not to begin. */
  void callOff() {
    if (state == State.AWAITED) {
      state = State.CALLED_OFF;
    }
  }

  /**
   * Waits for it.
   *
   * @return false if it was called off
   */
  @SuppressWarnings("ThreadPriorityCheck") // Nothing relies on it: others just get the CPU sooner.
  boolean await() {
    while (true) {
      for (int look = 0; look < LOOKS; look++) {
        State now = state;
        if (now != State.AWAITED) {
          return now == State.FIRED;
        }
        Thread.onSpinWait();
      }
      Thread.yield();
    }
  }
}
