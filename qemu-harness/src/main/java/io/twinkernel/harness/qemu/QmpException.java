package io.twinkernel.harness.qemu;

import java.io.IOException;

/** QEMU's answer to a monitor command that it did not carry out. */
public final class QmpException extends IOException {

  private static final long serialVersionUID = 1L;

  private final String errorClass;

  QmpException(String command, String errorClass, String description) {
    super("QMP " + command + ": " + errorClass + ": " + description);
    this.errorClass = errorClass;
  }

  /** {@code GenericError}, {@code CommandNotFound}, ... (QEMU's qapi/error.json). */
  public String errorClass() {
    return errorClass;
  }
}
