package io.twinkernel.harness.qemu;

import io.twinkernel.rootfs.Emulator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The machine that two kernels share. Buses 0x81 to 0x83 hang on root ports of a host bridge of
 * their own: 0x81 carries the service's NIC, 0x82 what is the second kernel's from its start, a
 * virtio console and a NIC, 0x83 the same for the kernel after it, and 0x84 a disk, where there is
 * one. COM1 is the first kernel's console, COM2 the others' boot log.
 *
 * @param emulator the QEMU that runs it
 * @param kernel bzImage
 * @param initrd its initramfs
 * @param commandLine its command line
 * @param cpus number of CPUs
 * @param megabytes RAM in MiB
 * @param accelerator what runs its code
 * @param tap name of the tap device of the service's NIC
 * @param otherTaps those of the NICs that the second kernel and the one after it have; empty: they
 *     lead nowhere
 * @param disk a raw image
 * @param joined whether the second kernel's NIC leads to one that the first kernel has for it
 */
public record MachineSpec(
    Emulator emulator,
    Path kernel,
    Path initrd,
    String commandLine,
    int cpus,
    int megabytes,
    Accelerator accelerator,
    String tap,
    List<String> otherTaps,
    Optional<Path> disk,
    boolean joined) {

  /** The service's NIC, as Linux names it. */
  public static final String SERVICE_NIC = "0000:81:00.0";

  /** The bus that the second kernel gets at its start. */
  public static final String TWIN_BUS = "0000:82";

  /** The bus that the kernel after it gets at its start; from then on the two take turns. */
  public static final String NEXT_BUS = "0000:83";

  /** The disk, as Linux names its PCI function. */
  public static final String DISK = "0000:84:00.0";

  /** What node.conf calls {@code service.ports}, where the other NICs lead to the same network. */
  public static final String SERVICE_PORTS = "0000:82:00.1,0000:83:00.1";

  /**
   * What node.conf calls {@code measure.nics}, where they are joined: the first kernel's, the
   * second's.
   */
  public static final String JOINED_NICS = "0000:00:10.0,0000:82:00.1";

  /** The words that start it. {@code files} says where its sockets and logs go. */
  public List<String> arguments(MachineFiles files) {
    List<String> line = new ArrayList<>(emulator.startLine());
    line.addAll(accelerator.arguments());
    add(line, "-machine", "q35");
    add(line, "-smp", Integer.toString(cpus), "-m", Integer.toString(megabytes));
    add(line, "-kernel", kernel.toString(), "-initrd", initrd.toString(), "-append", commandLine);
    add(line, "-nodefaults", "-display", "none", "-no-reboot");
    // QEMU dials in: whoever started it waits for a connection, not for a file to appear.
    add(line, "-chardev", "socket,id=qmp,path=" + files.qmp(), "-mon", "chardev=qmp,mode=control");
    add(line, "-chardev", console("a", files.consoleA(), files.logA()), "-serial", "chardev:a");
    add(line, "-chardev", "file,id=early,path=" + files.logEarlyB(), "-serial", "chardev:early");
    add(line, "-device", "pxb-pcie,bus_nr=0x80,id=pxb");
    add(line, "-device", "pcie-root-port,bus=pxb,id=rp1,chassis=1,slot=1");
    add(line, "-device", "pcie-root-port,bus=pxb,id=rp2,chassis=2,slot=2");
    add(line, "-device", "pcie-root-port,bus=pxb,id=rp3,chassis=3,slot=3");
    add(line, "-netdev", "tap,id=service,ifname=" + tap + ",script=no,downscript=no");
    add(
        line,
        "-device",
        "virtio-net-pci,netdev=service,bus=rp1,disable-legacy=on,mac=52:54:00:74:77:01");
    add(line, "-chardev", console("b", files.consoleB(), files.logB()));
    add(line, "-device", consoles("rp2", "ports"));
    add(line, "-device", nic("rp2") + (joined ? ",netdev=joined-b" : other(line, 0)));
    if (joined) {
      // A hub of QEMU's own: nothing of the host is in between.
      add(line, "-netdev", "hubport,hubid=0,id=joined-a");
      add(line, "-netdev", "hubport,hubid=0,id=joined-b");
      add(line, "-device", "virtio-net-pci,netdev=joined-a,bus=pcie.0,addr=0x10,disable-legacy=on");
    }
    add(line, "-device", "virtconsole,bus=ports.0,chardev=b");
    add(line, "-chardev", console("c", files.consoleC(), files.logC()));
    add(line, "-device", consoles("rp3", "next"));
    add(line, "-device", nic("rp3") + other(line, 1));
    add(line, "-device", "virtconsole,bus=next.0,chardev=c");
    disk.ifPresent(
        image -> {
          add(line, "-device", "pcie-root-port,bus=pxb,id=rp4,chassis=4,slot=4");
          add(line, "-drive", "if=none,id=disk,format=raw,file=" + image);
          add(line, "-device", "virtio-blk-pci,drive=disk,bus=rp4,disable-legacy=on");
        });
    return List.copyOf(line);
  }

  private static String console(String id, Path socket, Path log) {
    return "socket,id=" + id + ",path=" + socket + ",server=on,wait=off,logfile=" + log;
  }

  private static String consoles(String port, String id) {
    return "virtio-serial-pci,bus="
        + port
        + ",addr=0.0,multifunction=on,disable-legacy=on,id="
        + id;
  }

  private String other(List<String> line, int number) {
    if (number >= otherTaps.size()) {
      return "";
    }
    String id = "other" + number;
    String tap = otherTaps.get(number);
    add(line, "-netdev", "tap,id=" + id + ",ifname=" + tap + ",script=no,downscript=no");
    return ",netdev=" + id;
  }

  private static String nic(String port) {
    return "virtio-net-pci,bus=" + port + ",addr=0.1,disable-legacy=on";
  }

  private static void add(List<String> line, String... words) {
    line.addAll(List.of(words));
  }
}
