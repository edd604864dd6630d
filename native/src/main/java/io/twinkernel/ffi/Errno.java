package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Errnos;
import org.jspecify.annotations.Nullable;

/**
 * A Linux error number.
 *
 * @param number as in {@code errno.h}, positive
 */
public record Errno(int number) {
  public static final Errno EPERM = new Errno(Errnos.EPERM());
  public static final Errno ENOENT = new Errno(Errnos.ENOENT());
  public static final Errno ESRCH = new Errno(Errnos.ESRCH());
  public static final Errno EINTR = new Errno(Errnos.EINTR());
  public static final Errno EIO = new Errno(Errnos.EIO());
  public static final Errno ENXIO = new Errno(Errnos.ENXIO());
  public static final Errno E2BIG = new Errno(Errnos.E2BIG());
  public static final Errno ENOEXEC = new Errno(Errnos.ENOEXEC());
  public static final Errno EBADF = new Errno(Errnos.EBADF());
  public static final Errno EAGAIN = new Errno(Errnos.EAGAIN());
  public static final Errno ENOMEM = new Errno(Errnos.ENOMEM());
  public static final Errno EACCES = new Errno(Errnos.EACCES());
  public static final Errno EFAULT = new Errno(Errnos.EFAULT());
  public static final Errno EBUSY = new Errno(Errnos.EBUSY());
  public static final Errno EEXIST = new Errno(Errnos.EEXIST());
  public static final Errno ENODEV = new Errno(Errnos.ENODEV());
  public static final Errno EINVAL = new Errno(Errnos.EINVAL());
  public static final Errno ENOTTY = new Errno(Errnos.ENOTTY());
  public static final Errno ENOSPC = new Errno(Errnos.ENOSPC());
  public static final Errno EPIPE = new Errno(Errnos.EPIPE());
  public static final Errno EBADMSG = new Errno(Errnos.EBADMSG());
  public static final Errno EMSGSIZE = new Errno(Errnos.EMSGSIZE());
  public static final Errno ENOTSOCK = new Errno(Errnos.ENOTSOCK());
  public static final Errno EPROTOTYPE = new Errno(Errnos.EPROTOTYPE());
  public static final Errno ENOPROTOOPT = new Errno(Errnos.ENOPROTOOPT());
  public static final Errno EPROTONOSUPPORT = new Errno(Errnos.EPROTONOSUPPORT());
  public static final Errno EOPNOTSUPP = new Errno(Errnos.EOPNOTSUPP());
  public static final Errno EADDRINUSE = new Errno(Errnos.EADDRINUSE());
  public static final Errno EADDRNOTAVAIL = new Errno(Errnos.EADDRNOTAVAIL());
  public static final Errno ENAMETOOLONG = new Errno(Errnos.ENAMETOOLONG());
  public static final Errno ENOTCONN = new Errno(Errnos.ENOTCONN());
  public static final Errno ECONNREFUSED = new Errno(Errnos.ECONNREFUSED());
  public static final Errno ETIMEDOUT = new Errno(Errnos.ETIMEDOUT());

  /** Its symbol, such as {@code EBUSY}; {@code errno 4000} where Linux has none. */
  public String name() {
    String name = entry(ErrnoTable.NAMES);
    return name == null ? "errno " + number : name;
  }

  /** What the C library says about it, such as {@code device or resource busy}. */
  public String description() {
    String description = entry(ErrnoTable.DESCRIPTIONS);
    return description == null ? "unknown error" : description;
  }

  private @Nullable String entry(@Nullable String[] table) {
    return number >= 0 && number < table.length ? table[number] : null;
  }

  @Override
  public String toString() {
    return name() + " (" + description() + ")";
  }
}
