package io.twinkernel.broker.link;

import java.io.IOException;
import java.time.Duration;

/** Why the link between two kernels did not carry a message. */
public abstract sealed class LinkException extends IOException {
  private LinkException(String message) {
    super(message);
  }

  /** What is in the shared memory cannot have been written by a sound peer. */
  public static final class Corrupt extends LinkException {
    public Corrupt(String what) {
      super("the shared region holds garbage: " + what + "; the other kernel cannot be trusted");
    }
  }

  /** The other kernel has panicked, or its heartbeat stands still. */
  public static final class PeerGone extends LinkException {
    public PeerGone(String doing) {
      super("the other kernel has stopped: noticed while " + doing);
    }

    private PeerGone(String what, Object detail) {
      super(what + detail);
    }

    /** It said so itself. */
    public static PeerGone panicked() {
      return new PeerGone("the other kernel has panicked", "");
    }

    /** Its broker has said nothing for so long in the gap, where it has to all the time. */
    public static PeerGone silent(Duration silence) {
      return new PeerGone("the other kernel's broker has been silent for ms: ", silence.toMillis());
    }
  }

  /** The link was closed on this side. */
  public static final class Closed extends LinkException {
    public Closed() {
      super("the link is closed");
    }
  }

  /** The region belongs to another version of the layout, or to another start of a twin. */
  public static final class Incompatible extends LinkException {
    public Incompatible(String what) {
      super(what);
    }
  }

  /** A message that does not fit the ring. */
  public static final class TooLarge extends LinkException {
    public TooLarge(long bytes, long limit) {
      super("a message of " + bytes + " bytes; the link carries up to " + limit);
    }
  }
}
