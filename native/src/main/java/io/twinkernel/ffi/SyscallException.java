package io.twinkernel.ffi;

import java.io.IOException;

/**
 * A system call that failed: {@code open(/dev/twin, O_RDWR): ENOENT (no such file or directory):
 * load the twin module first}.
 */
public final class SyscallException extends IOException {
  private final String call;
  private final String arguments;
  private final int errno;

  /**
   * @param call its name, such as {@code open}
   * @param arguments as a C programmer would write them, without brackets
   */
  public SyscallException(String call, String arguments, Errno errno) {
    super(message(call, arguments, errno));
    this.call = call;
    this.arguments = arguments;
    this.errno = errno.number();
  }

  /** The call's name, such as {@code open}, or an ioctl's, such as {@code TWIN_IOC_ARM}. */
  public String call() {
    return call;
  }

  /** What the call was made with, as text. */
  public String arguments() {
    return arguments;
  }

  /** Why the kernel refused it. */
  public Errno errno() {
    return new Errno(errno);
  }

  /** For a call that returned minus its errno. */
  static SyscallException of(String call, String arguments, long result) {
    return new SyscallException(call, arguments, new Errno((int) -result));
  }

  private static String message(String call, String arguments, Errno errno) {
    String failure = call + "(" + arguments + "): " + errno;
    String advice = Advice.of(call, arguments, errno);
    return advice.isEmpty() ? failure : failure + ": " + advice;
  }
}
