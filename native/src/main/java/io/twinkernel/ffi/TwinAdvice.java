package io.twinkernel.ffi;

/** What the twin module's errnos mean. Source: twin.h. */
final class TwinAdvice {
  private TwinAdvice() {}

  static String of(String request, String errno) {
    String advice =
        switch (request) {
          case "TWIN_IOC_CARVE" -> carve(errno);
          case "TWIN_IOC_ARM" -> arm(errno);
          case "TWIN_IOC_DISARM" ->
              errno.equals("EBUSY")
                  ? "the CPU still runs the twin; put it online in this kernel first"
                  : "";
          case "TWIN_IOC_PARK" -> park(errno);
          case "TWIN_IOC_ADOPT_PCI" ->
              errno.equals("EBADMSG") ? "the SSDT is not valid; check its length and checksum" : "";
          case "TWIN_IOC_ADD_MEMORY" ->
              errno.equals("EEXIST") ? "part of the range is in use already; take it out" : "";
          case "TWIN_IOC_DOORBELL" ->
              errno.equals("ENOTCONN")
                  ? "the other kernel has not opened its side; wait for it"
                  : "";
          case "TWIN_IOC_PROMOTE" ->
              errno.equals("EBUSY") ? "the other kernel has not parked; wait until it has" : "";
          default -> "";
        };
    return advice.isEmpty() ? any(errno) : advice;
  }

  private static String carve(String errno) {
    return switch (errno) {
      case "ENODEV" -> "there is no crash region; boot with crashkernel=SIZE";
      case "ENOSPC" -> "the crash region is too small; boot with a larger crashkernel=";
      case "EBUSY" -> "a crash image is loaded or a twin runs; unload the image or end the twin";
      case "EINVAL" -> "the size must be a multiple of 2 MiB";
      default -> "";
    };
  }

  private static String arm(String errno) {
    return switch (errno) {
      case "EINVAL" -> "there is no such CPU";
      case "EPERM" -> "it is the machine's boot CPU, which cannot be given away; choose another";
      case "ENOEXEC" -> "no crash image is loaded; load one first";
      case "EBUSY" -> "a twin runs already";
      case "ENXIO" -> "there is no shared region; carve it first";
      case "EOPNOTSUPP" -> "the machine has no ECAM, so two kernels cannot share its PCI";
      default -> "";
    };
  }

  private static String park(String errno) {
    return switch (errno) {
      case "EBUSY" -> "other CPUs are online; take them offline first";
      case "ENXIO" -> "no twin runs, so nobody would take over";
      default -> "";
    };
  }

  private static String any(String errno) {
    return switch (errno) {
      case "ENOTTY" -> "the device is not the twin module's, or the module is older than this";
      case "E2BIG" -> "the module is older than this; install the one that belongs to it";
      default -> "";
    };
  }
}
