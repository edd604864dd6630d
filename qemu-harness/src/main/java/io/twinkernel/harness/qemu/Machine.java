package io.twinkernel.harness.qemu;

import io.twinkernel.harness.HarnessException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU process and its monitor. The process dies with this one, however that ends: it is started
 * with a parent-death signal (prctl(2), PR_SET_PDEATHSIG), which Linux ties to the <em>thread</em>
 * that started it; so a thread of its own starts it and waits for its end.
 */
public final class Machine implements AutoCloseable {

  private static final Duration MONITOR = Duration.ofSeconds(30);

  private final Process process;
  private final QmpClient qmp;
  private final MachineFiles files;
  private final long startedAt;

  private Machine(Process process, QmpClient qmp, MachineFiles files, long startedAt) {
    this.process = process;
    this.qmp = qmp;
    this.files = files;
    this.startedAt = startedAt;
  }

  /** Starts QEMU and waits until its monitor answers. */
  public static Machine start(MachineSpec spec, MachineFiles files) throws HarnessException {
    return start(spec.arguments(files), files);
  }

  /** Starts QEMU by these words, which must have it dial in at {@code files}. */
  public static Machine start(List<String> words, MachineFiles files) throws HarnessException {
    List<String> line = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
    line.addAll(words);
    Process process = null;
    try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      Files.deleteIfExists(files.qmp());
      listener.bind(UnixDomainSocketAddress.of(files.qmp()));
      ProcessBuilder builder =
          new ProcessBuilder(line)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .redirectErrorStream(true)
              .redirectOutput(files.logQemu().toFile());
      long startedAt = System.nanoTime();
      process = startFromOwnThread(builder);
      // QEMU that ends before it dials in would leave accept() waiting for ever.
      var _ = process.onExit().thenRun(() -> closeQuietly(listener));
      SocketChannel monitor = listener.accept();
      return new Machine(process, QmpClient.over(monitor, MONITOR), files, startedAt);
    } catch (IOException failure) {
      if (process != null) {
        process.destroyForcibly();
      }
      throw new HarnessException.Machine(
          "QEMU did not start: " + failure + "\n" + said(files), failure);
    }
  }

  private static Process startFromOwnThread(ProcessBuilder builder) throws IOException {
    CompletableFuture<Process> started = new CompletableFuture<>();
    CountDownLatch ended = new CountDownLatch(1);
    Thread.ofPlatform()
        .daemon()
        .name("qemu")
        .start(
            () -> {
              try {
                Process process = builder.start();
                var _ = process.onExit().thenRun(ended::countDown);
                started.complete(process);
                ended.await();
              } catch (IOException failure) {
                started.completeExceptionally(failure);
              } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
              }
            });
    try {
      return started.get();
    } catch (ExecutionException failure) {
      throw new IOException(failure.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while starting QEMU", interrupted);
    }
  }

  public QmpClient qmp() {
    return qmp;
  }

  public MachineFiles files() {
    return files;
  }

  /** {@link System#nanoTime} just before the process was started. */
  public long startedAt() {
    return startedAt;
  }

  public long pid() {
    return process.pid();
  }

  public boolean alive() {
    return process.isAlive();
  }

  /** Completes when the process has ended. */
  public CompletableFuture<Process> onExit() {
    return process.onExit();
  }

  /** What QEMU itself said, or that it said nothing. */
  public String said() {
    return said(files);
  }

  private static String said(MachineFiles files) {
    try {
      String text = Files.readString(files.logQemu()).strip();
      return text.isEmpty() ? "QEMU said nothing." : "QEMU said: " + text;
    } catch (IOException unreadable) {
      return "What QEMU said cannot be read: " + unreadable;
    }
  }

  /** Ends the process: by the monitor, and if that does not do it in two seconds by SIGKILL. */
  @Override
  public void close() {
    try {
      if (process.isAlive()) {
        qmp.execute("quit", Map.of(), Duration.ofSeconds(1));
        process.onExit().get(2, TimeUnit.SECONDS);
      }
    } catch (IOException | ExecutionException | TimeoutException stubborn) {
      // Killed below.
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
    process.onExit().join();
    closeQuietly(qmp);
  }

  private static void closeQuietly(@Nullable AutoCloseable thing) {
    try {
      if (thing != null) {
        thing.close();
      }
    } catch (Exception alreadyClosed) {
      // Closing is all that was wanted.
    }
  }
}
