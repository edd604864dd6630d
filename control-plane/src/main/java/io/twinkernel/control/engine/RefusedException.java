package io.twinkernel.control.engine;

import io.twinkernel.control.upgrade.Failure;

/** A request that cannot be carried out. */
public final class RefusedException extends Exception {

  /** Whose matter it is. */
  public enum Kind {
    /** The request is wrong in itself. */
    INVALID,
    /** There is no such thing. */
    UNKNOWN,
    /** Not now. */
    CONFLICT,
    /** The control plane cannot. */
    UNABLE
  }

  private final Kind kind;
  private final Failure failure;

  RefusedException(Kind kind, String code, String what, String why, String todo) {
    this(kind, new Failure(code, what, why, todo));
  }

  private RefusedException(Kind kind, Failure failure) {
    super(failure.toString());
    this.kind = kind;
    this.failure = failure;
  }

  public Kind kind() {
    return kind;
  }

  public Failure failure() {
    return failure;
  }
}
