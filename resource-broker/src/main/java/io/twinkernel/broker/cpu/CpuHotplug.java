package io.twinkernel.broker.cpu;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SysFiles;
import io.twinkernel.ffi.SyscallException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Takes CPUs offline and online (Documentation/core-api/cpu_hotplug.rst). */
public final class CpuHotplug {
  private static final String STARTABLE = "/sys/kernel/twin/startable";
  private static final String BOOT_CPU = "/sys/kernel/twin/boot_cpu";
  private static final String CPUS = "/sys/devices/system/cpu/";

  private CpuHotplug() {}

  /**
   * Takes a CPU offline; returns when this kernel no longer uses it.
   *
   * @throws SyscallException EBUSY if the kernel cannot let go of it
   */
  public static void offline(int cpu) throws SyscallException {
    SysFiles.write(CPUS + "cpu" + cpu + "/online", "0");
  }

  /** Starts a CPU with INIT and SIPI, whatever it runs, and returns when this kernel uses it. */
  public static void online(int cpu) throws SyscallException {
    SysFiles.write(CPUS + "cpu" + cpu + "/online", "1");
  }

  /**
   * Starts every CPU that is offline, but for the machine's boot CPU and those that the twin module
   * does not let this kernel start (EPERM).
   */
  public static void onlineAll() throws SyscallException {
    List<Integer> online = CpuList.parse(onlineList());
    Optional<Integer> boot = bootCpu();
    for (int cpu : CpuList.parse(presentList())) {
      if (!online.contains(cpu) && !boot.equals(Optional.of(cpu))) {
        try {
          online(cpu);
        } catch (SyscallException e) {
          if (!e.errno().equals(Errno.EPERM)) {
            throw e;
          }
        }
      }
    }
  }

  /**
   * Starts every CPU that is offline and that the twin module lets this kernel start: beside
   * another kernel those that it gave.
   *
   * @return what failed, empty if all went well
   */
  public static List<String> onlineStartable() {
    var failures = new ArrayList<String>();
    try {
      var startable = new ArrayList<>(CpuList.parse(SysFiles.read(STARTABLE)));
      startable.removeAll(CpuList.parse(onlineList()));
      for (int cpu : startable) {
        try {
          online(cpu);
        } catch (SyscallException e) {
          failures.add(String.valueOf(e.getMessage()));
        }
      }
    } catch (SyscallException e) {
      failures.add(String.valueOf(e.getMessage()));
    }
    return List.copyOf(failures);
  }

  /**
   * Starts the machine's boot CPU if it is offline. It comes by a mailbox, for INIT would reset the
   * machine; where the kernel that parked on it has left none, it stays parked.
   *
   * @return empty if it runs, else why not
   */
  public static Optional<String> onlineBootCpu() {
    try {
      Optional<Integer> boot = bootCpu();
      if (boot.isEmpty()) {
        return Optional.of("this kernel does not know which one it is");
      }
      if (!CpuList.parse(onlineList()).contains(boot.get())) {
        online(boot.get());
      }
      return Optional.empty();
    } catch (SyscallException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** The machine's boot CPU, by this kernel's number. */
  private static Optional<Integer> bootCpu() throws SyscallException {
    return CpuList.parse(SysFiles.read(BOOT_CPU).strip().replace("none", "")).stream().findFirst();
  }

  /** The CPUs that this kernel runs on, as "0-2,4". */
  public static String onlineList() throws SyscallException {
    return SysFiles.read(CPUS + "online").strip();
  }

  /** The CPUs that this kernel could run on, as "0-3". */
  public static String presentList() throws SyscallException {
    return SysFiles.read(CPUS + "present").strip();
  }
}
