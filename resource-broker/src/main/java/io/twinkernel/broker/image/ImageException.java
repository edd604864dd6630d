package io.twinkernel.broker.image;

import java.io.IOException;
import java.io.Serial;

/** A file is not what a kernel can be started from. */
public final class ImageException extends IOException {

  @Serial private static final long serialVersionUID = 1L;

  private final String code;
  private final String what;
  private final String why;
  private final String todo;

  ImageException(String code, String what, String why, String todo) {
    super(what + ": " + why + "; " + todo);
    this.code = code;
    this.what = what;
    this.why = why;
    this.todo = todo;
  }

  /** Stable, for programs: {@code image-not-a-kernel}, {@code image-truncated} and so on. */
  public String code() {
    return code;
  }

  /** Which file. */
  public String what() {
    return what;
  }

  /** What is wrong with it. */
  public String why() {
    return why;
  }

  /** What the operator can do. */
  public String todo() {
    return todo;
  }
}
