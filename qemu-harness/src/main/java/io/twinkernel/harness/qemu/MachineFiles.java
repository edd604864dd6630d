package io.twinkernel.harness.qemu;

import java.nio.file.Path;

/** Where a machine's sockets and logs are: all in one directory. */
public record MachineFiles(Path directory) {

  /** Monitor: QEMU connects to it. */
  public Path qmp() {
    return directory.resolve("qmp.sock");
  }

  /** Console of the first kernel: one client at a time. */
  public Path consoleA() {
    return directory.resolve("console-a.sock");
  }

  /** Console of the second kernel: one client at a time. */
  public Path consoleB() {
    return directory.resolve("console-b.sock");
  }

  /** Console of the kernel after the second: one client at a time. */
  public Path consoleC() {
    return directory.resolve("console-c.sock");
  }

  public Path logA() {
    return directory.resolve("console-a.log");
  }

  public Path logB() {
    return directory.resolve("console-b.log");
  }

  public Path logC() {
    return directory.resolve("console-c.log");
  }

  /** What the second kernel said before it had its console. */
  public Path logEarlyB() {
    return directory.resolve("boot-b.log");
  }

  /** What went over the service's tap, in libpcap's format. */
  public Path wire() {
    return directory.resolve("wire.pcap");
  }

  /** The image of its disk, where it has one. */
  public Path disk() {
    return directory.resolve("disk.raw");
  }

  /** What QEMU itself said. */
  public Path logQemu() {
    return directory.resolve("qemu.log");
  }
}
