package io.twinkernel.broker.agent;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.Processes;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A process beside the broker that waits for the end of it, as long as the broker may have the
 * service's processes stopped: it has them go on at once. A broker that starts anew does that, too,
 * and all else that there is to do, but a JVM takes its time to start.
 */
public final class Guard implements AutoCloseable {
  /** How the broker's program is told to be one; its parent's process number follows. */
  public static final String OPTION = "--guard";

  private static final Path LOG = Path.of("/run/twin/guard.log");
  private static final Path OWN_COMMAND = Path.of("/proc/self/cmdline");
  private static final byte[] READY = "ready\n".getBytes(StandardCharsets.US_ASCII);

  /** There is no end to it. */
  private static final Duration LOOK = Duration.ofHours(1);

  private final Process process;

  private Guard(Process process) {
    this.process = process;
  }

  /** Starts one for this process; it needs some time until it is {@link #awaitReady ready}. */
  static Guard start() throws IOException {
    var command = new ArrayList<String>(ownCommand());
    command.add(OPTION);
    command.add(Long.toString(ProcessHandle.current().pid()));
    Files.createDirectories(LOG.getParent());
    return new Guard(
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.to(LOG.toFile()))
            .start());
  }

  private static List<String> ownCommand() throws IOException {
    return List.of(Files.readString(OWN_COMMAND).split("\0", -1)).stream()
        .filter(word -> !word.isEmpty())
        .toList();
  }

  /**
   * Without it a broker that dies keeps the service waiting for longer: no reason to stop here.
   *
   * @param within it is given up after that
   */
  void awaitReady(Duration within) throws InterruptedException {
    var said = new CompletableFuture<Integer>();
    Thread.ofVirtual().start(() -> said.complete(read()));
    try {
      if (said.get(within.toMillis(), TimeUnit.MILLISECONDS) < 0) {
        KernelLog.say("nobody watches over the broker; " + LOG + " says why");
      }
    } catch (ExecutionException | TimeoutException e) {
      KernelLog.say("nobody watches over the broker yet: its guard takes its time");
    }
  }

  private int read() {
    try {
      return process.getInputStream().read();
    } catch (IOException e) {
      return -1;
    }
  }

  /** Returns when it has ended: it has the shared region mapped. */
  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }

  /**
   * Is one, until the broker has ended and what can be done at once is done.
   *
   * @param broker its process
   */
  public static void run(int broker) throws IOException {
    try (Fd process = Processes.open(broker);
        TwinDevice device = TwinDevice.open()) {
      Rescue rescue = Rescue.prepare(NodeConf.read(), device, broker);
      rescue.practise();
      System.out.write(READY, 0, READY.length);
      System.out.flush();
      while (process.poll(Linux.POLLIN(), LOOK) == 0) {
        // It lives.
      }
      if (rescue.run()) {
        KernelLog.say("recovery: the broker has ended; the processes go on");
      }
    }
  }
}
