package io.twinkernel.broker.process;

import java.io.IOException;
import java.io.Serial;

/**
 * CRIU refused or failed. The message says what was asked, CRIU's own first error, and what to do;
 * the end of CRIU's log comes with it.
 */
public final class CriuException extends IOException {

  @Serial private static final long serialVersionUID = 1L;

  private final CriuCommand request;
  private final int errno;
  private final String log;

  CriuException(CriuCommand request, int errno, String why, String todo, String log) {
    super("criu " + request.words() + " failed: " + why + "; " + todo);
    this.request = request;
    this.errno = errno;
    this.log = log;
  }

  /** What was asked. */
  public CriuCommand request() {
    return request;
  }

  /** CRIU's error number (an errno), 0 where it gave none. */
  public int errno() {
    return errno;
  }

  /** The last lines of CRIU's log of this request, empty where it wrote none. */
  public String log() {
    return log;
  }
}
