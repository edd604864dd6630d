package io.twinkernel.broker.net;

import io.twinkernel.ffi.Errno;
import java.io.IOException;
import java.io.Serial;

/** The kernel refused a change or question about the network. */
public final class NetlinkException extends IOException {

  @Serial private static final long serialVersionUID = 1L;

  private final transient Errno errno;

  NetlinkException(String what, Errno errno, String kernelSays) {
    super(
        what
            + ": "
            + errno.name()
            + " ("
            + errno.description()
            + ")"
            + (kernelSays.isEmpty() ? "" : ": the kernel says: " + kernelSays));
    this.errno = errno;
  }

  /** Why. */
  public Errno errno() {
    return errno;
  }
}
