package io.twinkernel.broker.link;

import java.io.IOException;
import java.time.Duration;

/** How two kernels that share memory wake each other. */
public interface Doorbell {
  /** Wakes the other side, now or when it next waits. */
  void ring() throws IOException;

  /**
   * Waits until this side's bell has been rung since the last call.
   *
   * @return false if it was not rung in that time
   * @throws LinkException.PeerGone if the other kernel has stopped
   */
  boolean await(Duration timeout) throws IOException;
}
