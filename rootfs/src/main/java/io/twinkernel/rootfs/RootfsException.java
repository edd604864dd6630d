package io.twinkernel.rootfs;

/** An image could not be made. Says what failed, why, and what to do about it. */
public final class RootfsException extends Exception {
  private static final long serialVersionUID = 1L;

  /** The kinds of failure, stable for programs that read them. */
  public enum Code {
    /** The package archive did not answer. */
    NETWORK,
    /** No kernel of that name is known or to be had. */
    UNKNOWN_KERNEL,
    /** A file that was given as a kernel is none, or is damaged. */
    NOT_A_KERNEL,
    /** A kernel lacks a module that the images need. */
    MODULES,
    /** The twin module could not be built for a kernel. */
    MODULE_BUILD,
    /** A program that was run failed. */
    TOOL,
    /** There is no QEMU that runs: the one that was named, or the fetched one. */
    EMULATOR,
    /** A package does not hold what the recipe takes from it. */
    RECIPE,
    /** The cache cannot be read or written. */
    CACHE,
    /** The project's own files are not where they are expected. */
    CHECKOUT
  }

  private final Code code;
  private final String what;
  private final String why;
  private final String todo;

  /**
   * @param what what failed, with what
   * @param why the reason as far as it is known
   * @param todo what the user can do
   */
  public RootfsException(Code code, String what, String why, String todo) {
    super(what + ": " + why + ". " + todo);
    this.code = code;
    this.what = what;
    this.why = why;
    this.todo = todo;
  }

  public Code code() {
    return code;
  }

  public String what() {
    return what;
  }

  public String why() {
    return why;
  }

  public String todo() {
    return todo;
  }

  RootfsException causedBy(Throwable cause) {
    initCause(cause);
    return this;
  }
}
