package io.twinkernel.harness;

/**
 * A run that cannot go on. The message says what failed, with what, why, and what to do about it.
 * The kinds differ in whose turn it is: the user's (exit code 2) or the machine's (exit code 1).
 */
public abstract sealed class HarnessException extends Exception {

  private static final long serialVersionUID = 1L;

  private HarnessException(String message, Throwable cause) {
    super(message, cause);
  }

  private HarnessException(String message) {
    super(message);
  }

  /** The process exit code that stands for this failure. */
  public abstract int exitCode();

  /** An option, or the machine it was run on, does not allow the run. Nothing was changed. */
  public static final class Refused extends HarnessException {
    private static final long serialVersionUID = 1L;

    public Refused(String what, String todo) {
      super(what + "\n  " + todo);
    }

    @Override
    public int exitCode() {
      return 2;
    }
  }

  /** QEMU, its monitor or the network around it did not do what was asked. */
  public static final class Machine extends HarnessException {
    private static final long serialVersionUID = 1L;

    public Machine(String message) {
      super(message);
    }

    public Machine(String message, Throwable cause) {
      super(message, cause);
    }

    @Override
    public int exitCode() {
      return 1;
    }
  }

  /** The service behind the machine did not answer as it must. */
  public static final class Service extends HarnessException {
    private static final long serialVersionUID = 1L;

    public Service(String message) {
      super(message);
    }

    public Service(String message, Throwable cause) {
      super(message, cause);
    }

    @Override
    public int exitCode() {
      return 1;
    }
  }

  /** The control plane refused, failed or fell silent. */
  public static final class Control extends HarnessException {
    private static final long serialVersionUID = 1L;

    public Control(String message) {
      super(message);
    }

    public Control(String message, Throwable cause) {
      super(message, cause);
    }

    @Override
    public int exitCode() {
      return 1;
    }
  }
}
