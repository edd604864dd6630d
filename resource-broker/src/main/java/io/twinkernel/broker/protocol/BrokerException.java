package io.twinkernel.broker.protocol;

/** A verb was refused or failed. */
public final class BrokerException extends Exception {
  private final Failure failure;

  public BrokerException(Failure failure) {
    super(failure.what() + ": " + failure.why());
    this.failure = failure;
  }

  public BrokerException(Failure failure, Throwable cause) {
    super(failure.what() + ": " + failure.why(), cause);
    this.failure = failure;
  }

  /** Nothing has been changed yet. */
  public static BrokerException refused(String code, String what, String why, String todo) {
    return new BrokerException(new Failure(code, what, why, todo, true));
  }

  public Failure failure() {
    return failure;
  }
}
