package io.twinkernel.broker.process;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What {@link CriuRoundTripTest} runs in a process of its own. */
final class CriuScenario {

  /** Exit code where CRIU says that this kernel is not for it. */
  static final int CANNOT_WORK = 42;

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final byte[] LOOPBACK = {127, 0, 0, 1};

  private final Criu criu;
  private final Path work;
  private final CgroupFreezer cgroup;
  private final List<Socket> connections = new ArrayList<>();
  private final List<BufferedReader> answers = new ArrayList<>();
  private long count;
  private boolean tracksMemory;

  private CriuScenario(Criu criu, Path work) throws IOException {
    this.criu = criu;
    this.work = work;
    Path group = CgroupHierarchy.root().resolve("twin-criu-" + ProcessHandle.current().pid());
    this.cgroup = new CgroupFreezer(Files.createDirectory(group));
  }

  /** Criu, the server's program, a directory. */
  public static void main(String[] arguments) throws Exception {
    Path work = Path.of(arguments[2]);
    assertThat(new ProcessBuilder("ip", "link", "set", "lo", "up").start().waitFor()).isZero();
    Criu criu;
    try {
      criu =
          Criu.start(
              Path.of(arguments[0]),
              Files.createDirectory(work.resolve("criu")),
              null,
              new CriuClocks.Kernel());
    } catch (CriuException e) {
      assertThat(e.request()).isEqualTo(CriuCommand.START);
      System.out.println(e.getMessage() + "\n" + e.log());
      System.exit(CANNOT_WORK);
      return;
    }
    CriuScenario scenario = new CriuScenario(criu, work);
    try {
      scenario.run(Path.of(arguments[1]));
    } catch (CriuException e) {
      throw new AssertionError(e.log(), e);
    } finally {
      scenario.end();
    }
  }

  private void run(Path program) throws Exception {
    tracksMemory = tracksMemory();
    Process server = start(program);
    int pid = (int) server.pid();
    connect(5);

    Path last = precopy(pid, "a");
    refusesToLeaveWhatRuns(pid);
    cgroup.stop(SOON);
    CriuStatistics dump = criu.dump(pid, images("rollback"), last, true);
    assertThat(dump.frozenMicros()).isPositive();
    assertThat(dump.pagesSkipped() > dump.pagesWritten())
        .as("left to the pre-dumps: %s", dump)
        .isEqualTo(tracksMemory);
    assertThat(ProcessTree.read(pid).state()).isEqualTo('T');
    cgroup.resume();
    allAnswer(); // the first kernel goes on

    last = precopy(pid, "b");
    cgroup.stop(SOON);
    criu.dump(pid, images("final"), last, false);
    assertThat(server.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThatThrownBy(() -> new Socket(InetAddress.getByAddress(LOOPBACK), 7000))
        .isInstanceOf(ConnectException.class);
    assertThat(criu.restore(work.resolve("final"))).isEqualTo(pid);
    assertThat(ProcessTree.read(pid).state()).as("restored as it was: stopped").isEqualTo('T');
    assertThat(criu.restoreStatistics().pagesRestored()).isGreaterThan(8000);
    cgroup.adopt(pid);
    cgroup.resume();
    allAnswer();
    connect(1);
    failuresSayWhatCriuSaid();
  }

  private void refusesToLeaveWhatRuns(int pid) throws IOException {
    Path images = images("running");
    assertThatThrownBy(() -> criu.dump(pid, images, null, true))
        .isInstanceOf(CriuException.class)
        .hasMessageContaining("process " + pid + " is not stopped");
  }

  private void failuresSayWhatCriuSaid() throws IOException {
    Path empty = images("empty");
    assertThatThrownBy(() -> criu.dump(4_000_000, empty, null, false))
        .isInstanceOfSatisfying(
            CriuException.class,
            e -> {
              assertThat(e.request()).isEqualTo(CriuCommand.DUMP);
              assertThat(e.log()).contains("Dumping FAILED");
              assertThat(e).hasMessageContaining("criu dump failed: ");
            });
    assertThatThrownBy(() -> criu.restore(empty))
        .isInstanceOfSatisfying(
            CriuException.class, e -> assertThat(e.log()).contains("(empty-image)"));
    // And the service still serves.
    assertThatThrownBy(() -> criu.restore(empty)).isInstanceOf(CriuException.class);
  }

  /** Some kernels are built without; then there are no pre-dumps. */
  private boolean tracksMemory() throws IOException {
    try {
      assertThat(criu.check()).isGreaterThanOrEqualTo(31700);
      return true;
    } catch (CriuException e) {
      assertThat(e.request()).isEqualTo(CriuCommand.FEATURE_CHECK);
      assertThat(e).hasMessageContaining("CONFIG_MEM_SOFT_DIRTY");
      return false;
    }
  }

  private @Nullable Path precopy(int pid, String name) throws IOException {
    Path last = null;
    for (int round = 1; tracksMemory && round <= 2; round++) {
      Path images = images(name + round);
      CriuStatistics statistics = criu.preDump(pid, images, last);
      if (last == null) {
        assertThat(statistics.pagesWritten()).isGreaterThan(8000);
      } else {
        assertThat(statistics.pagesWritten()).isLessThan(1000);
      }
      last = images;
      allAnswer();
    }
    return last;
  }

  private Process start(Path program) throws Exception {
    PidSpace.startAfter(20_000);
    assertThat(PidSpace.last()).isGreaterThanOrEqualTo(20_000);
    Process server =
        new ProcessBuilder("setsid", program.toString())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    cgroup.adopt((int) server.pid());
    assertThat(ProcessTree.of(cgroup.cgroup()).roots()).hasSize(1);
    return server;
  }

  private void connect(int more) throws Exception {
    for (int i = 0; i < more; i++) {
      Socket connection = connected();
      connection.setTcpNoDelay(true);
      connection.setSoTimeout((int) SOON.toMillis());
      connections.add(connection);
      answers.add(new BufferedReader(new InputStreamReader(connection.getInputStream(), US_ASCII)));
    }
    allAnswer();
  }

  /** The server listens a moment after it was started. */
  private static Socket connected() throws Exception {
    long deadline = System.nanoTime() + SOON.toNanos();
    while (true) {
      try {
        return new Socket(InetAddress.getByAddress(LOOPBACK), 7000);
      } catch (ConnectException e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(5);
      }
    }
  }

  private void allAnswer() throws IOException {
    for (int i = 0; i < connections.size(); i++) {
      connections.get(i).getOutputStream().write('x');
      assertThat(answers.get(i).readLine()).isEqualTo(Long.toString(++count));
    }
  }

  private void end() throws Exception {
    Files.writeString(cgroup.cgroup().resolve("cgroup.kill"), "1");
    criu.close();
    for (Socket connection : connections) {
      connection.close();
    }
    long deadline = System.nanoTime() + SOON.toNanos();
    while (!CgroupFreezerTest.removed(cgroup.cgroup())) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  private Path images(String name) throws IOException {
    return Files.createDirectory(work.resolve(name));
  }
}
