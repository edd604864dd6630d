package io.twinkernel.ffi;

/** What the twin module's errnos mean. Source: twin.h and the module beside it. */
final class TwinAdvice {
  private static final String PRIMARY_ONLY = "only the primary kernel can";
  private static final String TWIN_ONLY = "only a kernel that was started as a twin can";

  private TwinAdvice() {}

  static String of(String request, String errno) {
    String advice =
        switch (request) {
          case "TWIN_IOC_CARVE" -> carve(errno);
          case "TWIN_IOC_ARM" -> arm(errno);
          case "TWIN_IOC_DISARM" -> disarm(errno);
          case "TWIN_IOC_PARK" -> park(errno);
          case "TWIN_IOC_ADOPT_PCI" -> adopt(errno);
          case "TWIN_IOC_PREPARE_PCI" -> prepare(errno);
          case "TWIN_IOC_ADD_MEMORY" -> addMemory(errno);
          case "TWIN_IOC_PAGES", "TWIN_IOC_TIMERS" ->
              errno.equals("ESRCH") ? "that process has ended" : "";
          case "TWIN_IOC_THREADS" -> threads(errno);
          case "TWIN_IOC_DOORBELL" -> doorbell(errno);
          case "TWIN_IOC_PROMOTE" -> promote(errno);
          case "TWIN_IOC_CRASH_REGION" -> crashRegion(errno);
          case "TWIN_IOC_SUSPEND_PCI", "TWIN_IOC_FREEZE_PCI" -> stop(errno);
          case "TWIN_IOC_SET_PORT" -> port(errno);
          case "TWIN_IOC_TAKE_FRAMES", "TWIN_IOC_GIVE_FRAMES" -> frames(errno);
          default -> "";
        };
    return advice.isEmpty() ? any(errno) : advice;
  }

  private static String threads(String errno) {
    return switch (errno) {
      case "ESRCH" -> "that process has ended, or has other threads";
      case "EAGAIN" -> "one of them is not stopped; stop the process by SIGSTOP";
      case "EOPNOTSUPP" -> "that process is no 64-bit one";
      default -> "";
    };
  }

  private static String carve(String errno) {
    return switch (errno) {
      case "ENODEV" -> "there is no crash region; boot with crashkernel=SIZE";
      case "ENOSPC" -> "the crash region is too small; boot with a larger crashkernel=";
      case "EBUSY" ->
          "a crash image is loaded, a twin runs, or the region is carved or mapped already; unload"
              + " the image or end the twin first";
      case "EINVAL" -> "the size must be a multiple of 2 MiB";
      case "EOPNOTSUPP" -> PRIMARY_ONLY;
      default -> "";
    };
  }

  private static String arm(String errno) {
    return switch (errno) {
      case "EINVAL" -> "there is no such CPU online";
      case "EPERM" -> "it is the machine's boot CPU, which cannot be given away; choose another";
      case "ENOEXEC" -> "no crash image is loaded; load one first";
      case "EBUSY" ->
          "a twin runs already, a kexec load is under way, or a bus was prepared that is not"
              + " adopted";
      case "ENXIO" -> "there is no shared region with a valid header; carve and fill it first";
      case "EOPNOTSUPP" ->
          "this kernel is itself a twin, or the machine has no ECAM, without which two kernels"
              + " cannot share its PCI";
      default -> "";
    };
  }

  private static String disarm(String errno) {
    return switch (errno) {
      case "EBUSY" -> "the CPU still runs the twin; put it online in this kernel first";
      case "ENXIO" -> "nothing is armed";
      default -> "";
    };
  }

  private static String park(String errno) {
    return switch (errno) {
      case "EBUSY" -> "other CPUs are online; take them offline first";
      case "ENXIO" -> "no twin runs, so nobody would take over";
      case "ENOSPC" -> "the parking area in the shared region is too small";
      case "EOPNOTSUPP" -> PRIMARY_ONLY;
      default -> "";
    };
  }

  private static String prepare(String errno) {
    return switch (errno) {
      case "EBUSY" -> "one of the buses is prepared or in use in this kernel already";
      case "EINVAL" -> "the buses must be among 1 to 255, and no more than 512 registers";
      case "ENOSPC" -> "more was written to them than is kept; adopt them when they come instead";
      default -> adopt(errno);
    };
  }

  private static String adopt(String errno) {
    return switch (errno) {
      case "EBADMSG" -> "the SSDT is not valid; check its length and checksum, dmesg says more";
      case "EEXIST" -> "something that it names exists already; was it loaded before?";
      case "EOPNOTSUPP" -> TWIN_ONLY;
      default -> "";
    };
  }

  private static String addMemory(String errno) {
    return switch (errno) {
      case "EEXIST" -> "part of the range is in use already; take it out";
      case "EINVAL" -> "the range holds no whole page, or is beyond what this CPU can address";
      case "EBUSY" -> "a balloon driver owns memory hotplug here; unload it";
      case "EOPNOTSUPP" -> TWIN_ONLY;
      default -> "";
    };
  }

  private static String doorbell(String errno) {
    return switch (errno) {
      case "ENOTCONN" -> "the other kernel has not opened its side; wait for it";
      case "ENXIO" -> "there is no shared region with a valid header; carve and fill it first";
      default -> "";
    };
  }

  private static String promote(String errno) {
    return switch (errno) {
      case "EBUSY" ->
          "the other kernel has not parked, or the shared region is still mapped; wait for the one,"
              + " undo the other";
      case "EOPNOTSUPP" -> "this kernel is the primary already";
      default -> "";
    };
  }

  private static String crashRegion(String errno) {
    return switch (errno) {
      case "EEXIST" -> "there is a crash region already, or part of the range is in use";
      case "EINVAL" -> "start and size must be multiples of 2 MiB";
      case "EBUSY" -> "a balloon driver owns memory hotplug here; unload it";
      case "EOPNOTSUPP" -> "only a kernel that was started as a twin, and promoted, can";
      default -> "";
    };
  }

  private static String stop(String errno) {
    return switch (errno) {
      case "ENODEV" -> "there is no such function, or no driver is bound to it";
      case "EOPNOTSUPP" -> "its driver has no hibernation callbacks, by which it could come back";
      case "EALREADY" -> "it is stopped already; take it back first";
      case "ENOSPC" -> "16 functions are stopped; take one back first";
      default -> "";
    };
  }

  private static String port(String errno) {
    return switch (errno) {
      case "EBUSY" -> "another interface (bridge, bond) takes what comes in there; free it first";
      case "ENODEV" -> "there is no such interface, or it is not in the first network namespace";
      case "ENETDOWN" -> "the interface is not up; set it up first";
      case "ENOENT" -> "it is none of the interfaces that this was asked for";
      case "ENOSPC" -> "four interfaces are so already; free one first";
      case "EOPNOTSUPP" ->
          "what it sends does not queue (noqueue), or, before 5.17, its driver has a time-out for"
              + " hung queues, by which the kernel has it speak again";
      default -> "";
    };
  }

  private static String frames(String errno) {
    return switch (errno) {
      case "ENODEV" -> "there is no such interface, or it is not in the first network namespace";
      case "EMSGSIZE" -> "the first frame is larger than the room for it";
      default -> "";
    };
  }

  private static String any(String errno) {
    return switch (errno) {
      case "ENOTTY" -> "the device is not the twin module's, or the module is older than this";
      case "E2BIG" -> "the module is older than this; install the one that belongs to it";
      case "EINVAL" -> "the module is newer than this; install the one that belongs to it";
      case "EPERM", "EACCES" -> "needs root (CAP_SYS_BOOT), and no kernel lockdown";
      default -> "";
    };
  }
}
