package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;

/** The flags of {@code open(2)} as text. */
final class OpenFlags {
  private static final int ACCESS_MODE = 3;

  private OpenFlags() {}

  static String describe(int flags) {
    StringBuilder text = new StringBuilder(access(flags));
    int left = flags & ~ACCESS_MODE & ~Linux.O_CLOEXEC();
    left = append(text, left, Linux.O_CREAT(), "O_CREAT");
    left = append(text, left, Linux.O_EXCL(), "O_EXCL");
    left = append(text, left, Linux.O_TRUNC(), "O_TRUNC");
    left = append(text, left, Linux.O_APPEND(), "O_APPEND");
    left = append(text, left, Linux.O_NONBLOCK(), "O_NONBLOCK");
    left = append(text, left, Linux.O_DIRECTORY(), "O_DIRECTORY");
    left = append(text, left, Linux.O_NOFOLLOW(), "O_NOFOLLOW");
    left = append(text, left, Linux.O_DIRECT(), "O_DIRECT");
    // O_SYNC contains O_DSYNC.
    left = append(text, left, Linux.O_SYNC(), "O_SYNC");
    left = append(text, left, Linux.O_DSYNC(), "O_DSYNC");
    left = append(text, left, Linux.O_PATH(), "O_PATH");
    if (left != 0) {
      text.append("|0x").append(Integer.toHexString(left));
    }
    return text.toString();
  }

  private static String access(int flags) {
    int access = flags & ACCESS_MODE;
    if (access == Linux.O_WRONLY()) {
      return "O_WRONLY";
    }
    return access == Linux.O_RDONLY() ? "O_RDONLY" : "O_RDWR";
  }

  private static int append(StringBuilder text, int flags, int flag, String name) {
    if ((flags & flag) != flag) {
      return flags;
    }
    text.append('|').append(name);
    return flags & ~flag;
  }
}
