package io.twinkernel.ffi;

/** What to do about a call that failed, where the errno of that call has a known meaning. */
final class Advice {
  private Advice() {}

  /** A sentence without its full stop; empty where there is nothing to add. */
  static String of(String call, String arguments, Errno errno) {
    String name = errno.name();
    String advice =
        switch (call) {
          case "kexec_file_load" -> kexec(name);
          case "finit_module" -> load(name);
          case "delete_module" -> unload(name);
          case "open" -> open(arguments, name);
          case "mmap" -> map(arguments, name);
          case "write" -> write(arguments, name);
          case "connect" -> connect(name);
          case "kill", "pidfd_open", "pidfd_send_signal" ->
              name.equals("ESRCH") ? "there is no such process (any more)" : "";
          case "clock_adjtime" -> name.equals("EPERM") ? "needs root (CAP_SYS_TIME)" : "";
          default -> call.startsWith("TWIN_IOC_") ? TwinAdvice.of(call, name) : "";
        };
    return advice.isEmpty() ? general(name) : advice;
  }

  /** Source: kernel/kexec_file.c, arch/x86/kernel/kexec-bzimage64.c. */
  private static String kexec(String errno) {
    return switch (errno) {
      case "EBUSY" -> "another kexec load is under way, or the kernel is crashing; try again";
      case "ENOEXEC" -> "the file is no kernel that this one can start; give an x86-64 bzImage";
      case "EPERM" -> "needs root (CAP_SYS_BOOT), and kernel.kexec_load_disabled must be 0";
      case "EADDRNOTAVAIL" ->
          "kernel and initrd do not fit the crash region; boot with a larger crashkernel=";
      case "EINVAL" ->
          "a flag is unknown, an image is empty, or the command line is longer than the new kernel"
              + " takes (2047 bytes)";
      case "EBADF" -> "kernel and initrd must be open for reading";
      case "EKEYREJECTED", "ENOKEY", "ENODATA", "EBADMSG" ->
          "this kernel only loads signed images and does not accept this one's signature";
      case "ENOSYS" -> "this kernel was built without CONFIG_KEXEC_FILE";
      default -> "";
    };
  }

  /** Source: kernel/module/main.c. */
  private static String load(String errno) {
    return switch (errno) {
      case "EEXIST" -> "the module is loaded already";
      case "ENOEXEC" ->
          "the file is no module of the running kernel; take the one from /lib/modules/$(uname -r),"
              + " uncompressed";
      case "ENOENT" ->
          "the module needs a symbol that nothing provides; load the modules it depends on first";
      case "EINVAL" -> "a parameter or a symbol does not match; dmesg says which";
      case "EBUSY" -> "the same module is just being loaded or unloaded; try again";
      case "EPERM" -> "needs root (CAP_SYS_MODULE), and kernel.modules_disabled must be 0";
      case "EKEYREJECTED", "ENOKEY" ->
          "this kernel only loads modules signed with a key that it knows";
      default -> "";
    };
  }

  /** Source: kernel/module/main.c. */
  private static String unload(String errno) {
    return switch (errno) {
      case "EAGAIN" -> "the module is in use; close what uses it first";
      case "EBUSY" -> "the module is just being loaded, or cannot be unloaded at all";
      case "ENOENT" -> "no module of this name is loaded";
      case "EPERM" -> "needs root (CAP_SYS_MODULE), and kernel.modules_disabled must be 0";
      default -> "";
    };
  }

  private static String map(String arguments, String errno) {
    return isTwinDevice(arguments) && errno.equals("ENXIO")
        ? "there is no shared region; carve it first"
        : "";
  }

  private static boolean isTwinDevice(String arguments) {
    return path(arguments).equals(TwinDevice.PATH);
  }

  private static String open(String arguments, String errno) {
    if (!isTwinDevice(arguments)) {
      return errno.equals("ENOENT") ? "check the path" : "";
    }
    return switch (errno) {
      case "ENOENT", "ENXIO", "ENODEV" -> "the twin module is not loaded; load it first";
      case "EPERM", "EACCES" -> "needs root (CAP_SYS_BOOT)";
      default -> "";
    };
  }

  /** Source: kernel/cpu.c, drivers/base/{core,bus,memory}.c. */
  private static String write(String arguments, String errno) {
    if (path(arguments).endsWith("/online")) {
      return switch (errno) {
        case "EBUSY" ->
            "it cannot change its state now: a CPU is the last one online or CPU hotplug is locked,"
                + " memory holds pages that cannot be moved";
        case "EPERM" -> "this kernel cannot take it off or on line at all";
        case "ENODEV" -> "it is gone";
        case "EIO" -> "the CPU did not answer";
        default -> "";
      };
    }
    if (path(arguments).endsWith("bind")) {
      return switch (errno) {
        case "ENODEV" -> "the driver does not take this device, or does not drive it";
        case "EBUSY" -> "another driver has the device; unbind that one first";
        default -> "";
      };
    }
    return "";
  }

  private static String path(String arguments) {
    int end = arguments.indexOf(", ");
    return end < 0 ? arguments : arguments.substring(0, end);
  }

  private static String connect(String errno) {
    return switch (errno) {
      case "ENOENT" -> "there is no such socket; is its server running?";
      case "ECONNREFUSED" -> "nothing listens there any more; start its server again";
      case "EPROTOTYPE" -> "the server's socket is of another type";
      case "EAGAIN" -> "the server's queue is full; try again";
      case "ENAMETOOLONG" -> "a socket's path has at most 107 bytes; choose a shorter one";
      default -> "";
    };
  }

  private static String general(String errno) {
    return switch (errno) {
      case "EPERM", "EACCES" -> "run as root";
      case "EMFILE", "ENFILE" -> "too many files are open; raise the limit";
      case "ENOSPC" -> "make room";
      case "ENOMEM" -> "free some memory";
      case "EROFS" -> "the file system is mounted read-only";
      case "EBADF" -> "the descriptor is closed, or not open for this";
      case "ENOSYS" -> "this kernel does not have the call";
      default -> "";
    };
  }
}
