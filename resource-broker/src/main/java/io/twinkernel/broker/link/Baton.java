package io.twinkernel.broker.link;

/**
 * Who owns the machine's work. One word of the shared region, moved by compare-and-swap: whichever
 * kernel moves it out of {@link #SWITCHING} has decided for both, so there is one commit point and
 * never two owners.
 *
 * <pre>
 *   HELD_BY_A ──A──▶ SWITCHING ──B: its processes run next──▶ COMMITTED
 *                        └───────A: B failed or is late───▶ ABORTED
 * </pre>
 */
public enum Baton {
  HELD_BY_A(0),
  SWITCHING(1),
  COMMITTED(2),
  ABORTED(3);

  private final long word;

  Baton(long word) {
    this.word = word;
  }

  /** As it stands in the shared region; a fresh region is HELD_BY_A. */
  long word() {
    return word;
  }

  static Baton of(long word) throws LinkException {
    for (Baton baton : values()) {
      if (baton.word == word) {
        return baton;
      }
    }
    throw new LinkException.Corrupt("baton " + word);
  }
}
