package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.console.ConsoleSession;
import io.twinkernel.harness.net.Namespace;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The processes of the image layer "workloads" or "postgres", which move beside Redis: each tells
 * whether its data is right, before the upgrade and after it.
 */
final class Workloads {
  /** Name of the image layer of a disk. */
  static final String DISK_LAYER = "disk";

  /** Name of the image layer of PostgreSQL. */
  static final String POSTGRES_LAYER = "postgres";

  private static final String CHECK_DISK = "/opt/disk/check";
  private static final String CHECK = "/opt/workloads/check";
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final InetSocketAddress WEB = new InetSocketAddress(Namespace.GUEST, 8080);
  private static final InetSocketAddress HALVES = new InetSocketAddress(Namespace.GUEST, 7004);
  private static final InetSocketAddress CONTAINER = new InetSocketAddress(Namespace.GUEST, 7002);

  private Workloads() {}

  /**
   * Starts the clients outside: of nginx, of connections that are half closed, and of the web
   * server in the container.
   */
  static List<WorkloadClients> connect(WorkloadSet workloads) throws IOException {
    var halves = HalfClosedClients.connect("half-closed", HALVES);
    var nginx = KeepAliveClients.start("nginx-keep-alive", WEB, "/data.txt");
    return workloads == WorkloadSet.ALL
        ? List.of(nginx, halves, KeepAliveClients.start("container-keep-alive", CONTAINER, "/"))
        : List.of(nginx, halves);
  }

  /** The names of the checks in what {@link #check} returned. */
  static Set<String> names(List<String> said) {
    return said.stream().map(line -> line.split(" ", 3)[1]).collect(Collectors.toSet());
  }

  /**
   * Waits until all of them are at work.
   *
   * @return what they say
   */
  static List<String> awaitReady(Path console) throws HarnessException, IOException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      List<String> said = check(console);
      if (said.stream().allMatch(line -> line.startsWith("ok "))) {
        return said;
      }
      if (System.nanoTime() > deadline) {
        throw new HarnessException.Service(
            "the workloads were not ready within "
                + PATIENCE.toSeconds()
                + " s: "
                + said.stream().filter(line -> !line.startsWith("ok ")).toList());
      }
    }
  }

  /** What each says: {@code ok NAME ...} or {@code bad NAME WHY}. */
  static List<String> check(Path console) throws IOException {
    return run(console, CHECK);
  }

  /** The same of the disk: what is on it, once the service has ended. */
  static List<String> checkDisk(Path console) throws IOException {
    return run(console, CHECK_DISK);
  }

  private static List<String> run(Path console, String command) throws IOException {
    try (ConsoleSession session = ConsoleSession.attach(console)) {
      List<String> said = session.run(command, PATIENCE).lines().map(String::strip).toList();
      if (said.isEmpty() || !said.getLast().equals("checked")) {
        throw new IOException(command + " did not end: " + said);
      }
      // The kernel may print between the lines.
      return said.stream()
          .filter(line -> line.startsWith("ok ") || line.startsWith("bad "))
          .toList();
    }
  }
}
