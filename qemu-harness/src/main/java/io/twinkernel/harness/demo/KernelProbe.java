package io.twinkernel.harness.demo;

import io.twinkernel.harness.console.ConsoleSession;
import io.twinkernel.harness.report.DemoReport.KernelFacts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks a kernel about itself in the shell on its console: the one witness no broker can speak for.
 */
final class KernelProbe {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String CPUS = "cat /sys/devices/system/cpu/online";
  private static final String MEMORY = "grep MemTotal /proc/meminfo";
  private static final String RAM = "grep 'System RAM' /proc/iomem";
  private static final String NICS =
      "for n in /sys/class/net/*/device; do d=${n%/device};"
          + " echo ${d##*/}=$(basename $(dirname $(readlink -f $n))); done";
  private static final String REDIS =
      "grep -m 1 . /sys/fs/cgroup/service/redis/cgroup.procs || echo 0";

  private KernelProbe() {}

  /** {@code uname -r} on the console behind a socket. */
  static String release(Path socket) throws IOException {
    try (ConsoleSession console = ConsoleSession.attach(socket)) {
      return console.run("uname -r", PATIENCE);
    }
  }

  /** Runs a command on the console behind a socket. */
  static void command(Path socket, String command) throws IOException {
    command(socket, command, PATIENCE);
  }

  /** The same of a command that may take longer; returns what it printed. */
  static String command(Path socket, String command, Duration patience) throws IOException {
    try (ConsoleSession console = ConsoleSession.attach(socket)) {
      return console.run(command, patience);
    }
  }

  /** All that reports say of a kernel. */
  static KernelFacts facts(Path socket) throws IOException {
    try (ConsoleSession console = ConsoleSession.attach(socket)) {
      return new KernelFacts(
          console.run("uname -r", PATIENCE),
          console.run("basename $(tty)", PATIENCE),
          cpus(console.run(CPUS, PATIENCE)),
          kibibytes(console.run(MEMORY, PATIENCE)) * 1024,
          ram(console.run(RAM, PATIENCE)),
          nics(console.run(NICS, PATIENCE)),
          number(console.run(REDIS, PATIENCE)));
    }
  }

  /** The kernel's list format, such as {@code 0-2,5}. */
  static List<Integer> cpus(String list) throws IOException {
    List<Integer> cpus = new ArrayList<>();
    for (String range : list.strip().split(",", -1)) {
      String[] ends = range.split("-", -1);
      for (int cpu = (int) number(ends[0]); cpu <= (int) number(ends[ends.length - 1]); cpu++) {
        cpus.add(cpu);
      }
    }
    return List.copyOf(cpus);
  }

  private static long kibibytes(String line) throws IOException {
    String[] words = line.strip().split(" +", -1);
    if (words.length < 2) {
      throw new IOException("'" + line + "' where a line of /proc/meminfo belongs");
    }
    return number(words[1]);
  }

  /** Sum of the outermost ranges of /proc/iomem, whose ends are inclusive. */
  static long ram(String lines) throws IOException {
    long sum = 0;
    for (String line : lines.lines().map(String::strip).toList()) {
      String[] ends = line.split(" ", -1)[0].split("-", -1);
      try {
        sum += Long.parseLong(ends[1], 16) - Long.parseLong(ends[0], 16) + 1;
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException damaged) {
        throw new IOException("'" + line + "' where a line of /proc/iomem belongs", damaged);
      }
    }
    return sum;
  }

  /** A virtio device's parent is the PCI device; interfaces without one are not NICs. */
  private static List<String> nics(String lines) {
    return lines
        .lines()
        .map(String::strip)
        .filter(line -> line.matches(".+=[0-9a-f]{4}:.+"))
        .toList();
  }

  private static long number(String text) throws IOException {
    try {
      return Long.parseLong(text.strip());
    } catch (NumberFormatException damaged) {
      throw new IOException("'" + text + "' where a number belongs", damaged);
    }
  }
}
